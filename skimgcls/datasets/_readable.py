"""Find the files that can be read as images."""

from sklearn.utils.parallel import Parallel, delayed

from skimgcls._images._decode import decode, name_of, read_header
from skimgcls.datasets._scan import Listing
from skimgcls.exceptions import ImageFileError

_MOST_NAMED = 5


def keep_readable(listing: Listing, *, on_error: str, n_jobs: int | None) -> Listing:
    """Return the listing of the readable images, or raise.

    Parameters
    ----------
    listing : Listing
    on_error : {"raise", "skip"}
        "raise" reads the headers and raises an error if a file is broken. "skip" decodes the files
        and moves the broken ones to `ignored`.
    n_jobs : int or None
        Number of threads. Pillow releases the GIL while decoding.

    Raises
    ------
    ImageFileError
        If a file or link is broken and `on_error` is "raise".
    """
    reasons = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_why_not)(path, whole=on_error == "skip") for _, path in listing.images
    )
    told = list(zip(listing.images, reasons, strict=True))
    broken = listing.broken + [(path, why) for (_, path), why in told if why is not None]
    if broken and on_error == "raise":
        raise ImageFileError(_report(broken, len(listing.images) + len(listing.broken)))
    readable = [image for image, why in told if why is None]
    return Listing(readable, listing.ignored + broken)


def _why_not(path: str, *, whole: bool) -> str | None:
    """Return why a file cannot be used, or None if it can."""
    try:
        decode(path) if whole else read_header(path)
    except (ImageFileError, FileNotFoundError, PermissionError) as error:
        return str(error).removeprefix(f"{name_of(path)} ").removesuffix(".")
    return None


def _report(broken: list[tuple[str, str]], n_files: int) -> str:
    lines = [f"  {path!r} {reason}" for path, reason in broken[:_MOST_NAMED]]
    if len(broken) > _MOST_NAMED:
        lines.append(f"  and {len(broken) - _MOST_NAMED} more")
    return "\n".join(
        [
            f"{len(broken)} of {n_files} images cannot be read:",
            *lines,
            'Repair or delete them, or pass on_error="skip" to leave them out.',
        ]
    )
