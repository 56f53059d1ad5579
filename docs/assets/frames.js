// The playground and the report of a race are pages of their own, with a theme of their own: inside the site they follow its palette.
// Opened as files, pages may not look into each other, and each follows the system.
const wanted = () => (document.body.dataset.mdColorScheme === "slate" ? "dark" : "light");
const system = matchMedia("(prefers-color-scheme: dark)");

function follow(frame) {
  const page = frame.contentDocument;
  const button = page?.getElementById("theme");
  const shown = page?.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  if (button && shown !== wanted()) button.click();
}

const embedded = document.querySelectorAll("iframe.whole");
for (const frame of embedded) frame.addEventListener("load", () => follow(frame));
new MutationObserver(() => embedded.forEach(follow)).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
embedded.forEach(follow);
