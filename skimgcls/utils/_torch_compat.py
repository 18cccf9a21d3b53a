"""The only module that uses private names of torch (version 2.6 or later)."""

import torch

__all__ = ["backward", "cpu_has_bfloat16", "fused_adamw_step"]

# One AdamW step for lists of weights, in a single call.
fused_adamw_step = torch._fused_adamw_


def backward(loss: torch.Tensor, one: torch.Tensor) -> None:
    """Accumulate the gradients of a scalar loss; `one` is the gradient of the loss itself.

    ``loss.backward()`` first checks lists of outputs and gradients, which takes a tenth of a step
    of a small network. This function skips the checks.
    """
    torch.autograd.Variable._execution_engine.run_backward(
        (loss,),
        (one,),
        keep_graph=False,
        create_graph=False,
        inputs=(),
        allow_unreachable=True,
        accumulate_grad=True,
    )


def cpu_has_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 numbers in hardware."""
    if hasattr(torch.cpu, "get_capabilities"):
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    # Before torch 2.10.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
