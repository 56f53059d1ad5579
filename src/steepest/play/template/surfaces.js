// The surfaces: a function of two weights, its gradient, what part of it is shown (4 to 3), and where runs begin.
// `lr` holds two learning rates to begin with: for rules whose step grows with the slope, and for those whose step does not.

const CONDITION = {label: "steepness, across to along", scale: "log", low: 1, high: 1000, default: 30};
const ANGLE = {label: "turned by", unit: "°", scale: "linear", low: 0, high: 90, steps: 90, default: 25};

function ravine({condition, angle}) {
  const c = Math.cos(angle * Math.PI / 180), s = Math.sin(angle * Math.PI / 180);
  return {
    f: (x, y) => ((c * x + s * y) ** 2 + condition * (c * y - s * x) ** 2) / 2,
    gradient: (x, y) => {
      const along = c * x + s * y, across = condition * (c * y - s * x);
      return [c * along - s * across, s * along + c * across];
    },
    minima: [[0, 0]], lowest: 0, lr: {slope: 1 / condition, step: 0.06},
  };
}

const SURFACES = {
  ravine: {
    title: "Ravine",
    about: "A quadratic valley: steep walls, a gentle floor. Turn it, and rules that scale each coordinate by itself lose their grip.",
    options: {condition: CONDITION, angle: ANGLE}, x: [-3, 3], y: [-2.25, 2.25], start: [-2.4, 1.1],
    make: ravine,
  },
  noisy: {
    title: "Noisy ravine",
    about: "The same valley, but every gradient is the true one plus Gaussian noise, as from small batches. All runners meet the same noise.",
    options: {
      sigma: {label: "noise, standard deviation", scale: "linear", low: 0, high: 10, steps: 100, default: 3},
      seed: {label: "seed of the noise", scale: "whole", low: 0, high: 20, default: 7},
      condition: {...CONDITION, default: 15}, angle: ANGLE,
    },
    x: [-3, 3], y: [-2.25, 2.25], start: [-2.4, 1.1],
    make: options => ({...ravine(options), noise: (t, k) => options.sigma * normal(options.seed, t, k)}),
  },
  rosenbrock: {
    title: "Rosenbrock",
    about: "A bent valley. Finding the floor is easy; following it round the bend to the minimum is not.",
    options: {}, x: [-2.4, 2.4], y: [-0.7, 2.9], start: [-1.6, 0.4], steps: 500,
    make: () => ({
      f: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
      minima: [[1, 1]], lowest: 0, lr: {slope: 5e-4, step: 0.04},
    }),
  },
  beale: {
    title: "Beale",
    about: "A broad plain between steep corners: gradients from thousands down to almost nothing.",
    options: {}, x: [-1.2, 4.4], y: [-2.1, 2.1], start: [1, -1.2],
    make: () => {
      const parts = (x, y) => [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y ** 3];
      return {
        f: (x, y) => parts(x, y).reduce((sum, p) => sum + p * p, 0),
        gradient: (x, y) => {
          const [a, b, c] = parts(x, y);
          return [2 * (a * (y - 1) + b * (y * y - 1) + c * (y ** 3 - 1)), 2 * x * (a + 2 * b * y + 3 * c * y * y)];
        },
        minima: [[3, 0.5]], lowest: 0, lr: {slope: 5e-3, step: 0.05},
      };
    },
  },
  saddle: {
    title: "Saddle",
    about: "A pass between two valleys. A run that begins almost on the ridge meets a gradient of almost zero, and has to leave it.",
    options: {}, x: [-2.8, 2.8], y: [-2.1, 2.1], start: [-2.2, 0.001],
    make: () => ({
      f: (x, y) => x * x - y * y + y ** 4 / 4,
      gradient: (x, y) => [2 * x, -2 * y + y ** 3],
      minima: [[0, Math.SQRT2], [0, -Math.SQRT2]], lowest: -1, lr: {slope: 0.05, step: 0.05},
    }),
  },
  minima: {
    title: "Many minima",
    about: "Rastrigin's function: a bowl with a wave on it. Most starts end in a hollow that is not the lowest.",
    options: {waves: {label: "height of the wave", scale: "linear", low: 0, high: 10, steps: 50, default: 1}},
    x: [-3.4, 3.4], y: [-2.55, 2.55], start: [2.6, 1.7],
    make: ({waves}) => ({
      f: (x, y) => x * x + y * y + waves * (2 - Math.cos(2 * Math.PI * x) - Math.cos(2 * Math.PI * y)),
      gradient: (x, y) => [2 * x + 2 * Math.PI * waves * Math.sin(2 * Math.PI * x), 2 * y + 2 * Math.PI * waves * Math.sin(2 * Math.PI * y)],
      minima: [[0, 0]], lowest: 0, lr: {slope: 0.03, step: 0.2},
    }),
  },
  network: {
    title: "A real network",
    about: `Measured, not invented: the loss of a ${SLICE.about}, on the plane through three trainings of it (the crosses). `
      + "A bicubic spline joins the measured points; runners feel the slope within the plane alone. Beyond its edge nothing was measured, and a run ends.",
    options: {}, x: [-2.8, 2.8], y: [-1.9, 2.3], start: [-1.2, 0.75],
    make: () => ({...measured(SLICE), minima: SLICE.trainings, lowest: 0, lr: {slope: 0.1, step: 0.015}}),
  },
};

/** A surface with its options settled. */
function surfaceOf(name, options) {
  const kind = SURFACES[name];
  const settled = Object.fromEntries(Object.entries(kind.options).map(([key, spec]) => [key, options[key] === undefined ? spec.default : options[key]]));
  return {inside: () => true, noise: () => 0, ...kind.make(settled), name, title: kind.title, x: kind.x, y: kind.y};
}
