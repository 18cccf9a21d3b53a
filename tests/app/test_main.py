"""The command line: refused arguments and the server."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
import warnings

import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skimgcls import save
from skimgcls.app._command import main
from skimgcls.app._serve import (
    bound_uploads,
    find_port,
    make_options,
    protect_process,
    served_model,
)
from skimgcls.app._upload import Limits


@pytest.fixture
def path(tmp_path, of_files):
    save(of_files, tmp_path / "shapes.skimgcls")
    return tmp_path / "shapes.skimgcls"


def refusal(arguments, capsys):
    """Return the error output of a refused command."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_missing_file_is_rejected(tmp_path, capsys):
    assert "No such file" in refusal([tmp_path / "none.skimgcls"], capsys)


def test_folder_is_rejected(tmp_path, capsys):
    assert "error:" in refusal([tmp_path], capsys)


def test_file_of_another_format_is_rejected(tmp_path, capsys):
    other = tmp_path / "other.skimgcls"
    other.write_bytes(b"PK" + bytes(100))
    assert "a file that save wrote begins with b'SKIMGCLS'" in refusal([other], capsys)


def test_altered_file_is_rejected(path, capsys):
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    assert "it was truncated or altered" in refusal([path], capsys)


def test_model_that_cannot_classify_images_is_rejected(tmp_path, capsys):
    X, y = load_digits(return_X_y=True)
    save(LogisticRegression(max_iter=10_000).fit(X / 16, y), tmp_path / "rows.skimgcls")
    said = refusal([tmp_path / "rows.skimgcls"], capsys)
    assert "it cannot classify images: LogisticRegression has no image_shape_" in said


def test_port_in_use_is_rejected(path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal([path, "--port", port], capsys)
    assert f"cannot listen on 127.0.0.1:{port}" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--max-upload-mb", "0"],
        ["--max-megapixels", "-1"],
        ["--max-megapixels", "inf"],
        ["--white", "0"],
        ["--nonsense"],
    ],
)
def test_invalid_options_are_rejected(arguments, path, capsys):
    assert "error: " in refusal([path, *arguments], capsys)


def test_missing_streamlit_names_the_extra(path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    assert 'pip install "skimgcls[app]"' in refusal([path], capsys)


def test_page_requires_a_model():
    with pytest.raises(RuntimeError, match=r"python -m skimgcls\.app MODEL"):
        served_model()


def test_server_is_local_and_sends_no_usage_statistics():
    options = make_options("127.0.0.1", 8501, Limits(upload_mb=7), None)
    assert options["server.address"] == "127.0.0.1"
    # A request is larger than its file.
    assert options["server.maxUploadSize"] == 8
    assert options["browser.gatherUsageStats"] is False
    assert options["server.enableXsrfProtection"] is True
    assert options["server.enableCORS"] is True
    assert options["client.showErrorDetails"] == "none"
    assert "127.0.0.1" in options["server.allowedHosts"]
    assert "browser.serverAddress" not in options


def test_public_host_name_is_allowed():
    options = make_options("127.0.0.1", 8501, Limits(), "flowers.example.org")
    assert options["browser.serverAddress"] == "flowers.example.org"
    assert "flowers.example.org" in options["server.allowedHosts"]
    assert "server.allowedHosts" not in make_options("0.0.0.0", 8501, Limits(), None)


def test_free_port_is_found():
    assert find_port("127.0.0.1", 0) > 0


def test_uploads_stay_in_memory_and_decompression_bombs_are_errors(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    try:
        from starlette.formparsers import MultiPartParser
    except ImportError:
        MultiPartParser = None  # noqa: N806 - a class of its name
    else:
        monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    with warnings.catch_warnings():
        protect_process(Limits(upload_mb=30, megapixels=2))
    assert Image.MAX_IMAGE_PIXELS == 2_000_000
    if MultiPartParser is not None:
        assert MultiPartParser.spool_max_size > 30 * 2**20


def test_command_serves_until_interrupted(path, tmp_path):
    command = [sys.executable, "-m", "skimgcls.app", str(path), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as server:
        told = server.stdout.readline()
        assert told, server.stderr.read()
        url = re.search(r"shapes\.skimgcls is served on (http://127\.0\.0\.1:\d+) ", told)[1]
        with urllib.request.urlopen(f"{url}/_stcore/health") as answer:
            assert answer.status == 200
        # It stops even if its output is closed.
        server.stdout.close()
        server.send_signal(signal.SIGINT)
        errors = server.stderr.read()
    assert server.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.slow
def test_error_sets_the_exit_status(tmp_path):
    command = [sys.executable, "-m", "skimgcls.app", str(tmp_path / "none.skimgcls")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_uploads_of_a_session_and_of_all_are_bounded(monkeypatch):
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", MemoryUploadedFileManager.add_file)
    bound_uploads(Limits(files=5, session_bytes=1_000, process_bytes=2_500))
    manager = MemoryUploadedFileManager("/upload")

    def add(session, name, size):
        manager.add_file(session, UploadedFileRec(name, name, "image/png", bytes(size)))

    for number in range(60):
        add("one", f"{number}", 300)
    assert list(manager.file_storage["one"]) == ["57", "58", "59"]
    for number in range(60):
        add("two", f"{number}", 10)
    assert len(manager.file_storage["two"]) == 5
    add("two", "59", 20)
    assert len(manager.file_storage["two"]) == 5
    add("three", "a", 1_000)
    with pytest.raises(MemoryError, match="all sessions"):
        add("four", "a", 1_000)
    manager.remove_session_files("one")
    add("four", "a", 1_000)
