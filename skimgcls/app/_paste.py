"""Paste images from the clipboard anywhere on the page."""

from streamlit.components.v2 import component

# Pasted files go through the uploader of the page, so that the same limits apply.
_SCRIPT = """
export default function () {
  const take = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const input = document.querySelector('[data-testid="stFileUploaderDropzoneInput"]');
    if (files.length === 0 || input === null || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    const basket = new DataTransfer();
    files.forEach((file) => basket.items.add(file));
    input.files = basket.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", take, true);
  document.body.dataset.paste = "ready";
  return () => document.removeEventListener("paste", take, true);
}
"""


def listen_for_paste() -> None:
    """Listen for paste events on the page."""
    component("skimgcls_paste", js=_SCRIPT)(key="paste", height=1)
