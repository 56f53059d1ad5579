"""From LLVM text to the address of machine code for this very processor."""

from functools import cache

import llvmlite.binding as llvm


@cache
def _target() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


def _optimized(text: str) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    module.verify()
    machine = _target()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    return module


_engines: list[llvm.ExecutionEngine] = []  # the code lives as long as its engine: for good
compiled: dict[str, int] = {}
"""Every kernel that has been compiled in this process: its text, and where its code is."""


def address(text: str) -> int:
    """The address of `void steepest(void *job)`, compiled once for each text."""
    if text not in compiled:
        engine = llvm.create_mcjit_compiler(_optimized(text), _target())
        engine.finalize_object()
        _engines.append(engine)
        compiled[text] = engine.get_function_address("steepest")
    return compiled[text]


def assembly(text: str) -> str:
    """The machine code that `text` becomes here, as assembly, to be read."""
    return _target().emit_assembly(_optimized(text))
