# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Public networks by name, from a local server with files of the published layout."""
import errno
from http.server import BaseHTTPRequestHandler, HTTPServer
import io
import json
import threading
import zipfile

import numpy as np
import pytest

from networks import make_constant
from pose_ros.core import bundled
from pose_ros.core.card_files import load_card
from pose_ros.core.errors import ModelError, PoseRosError
from pose_ros.core.public import download as downloads
from pose_ros.core.public import fetch, find, names, networks, stored
from pose_ros.core.public.download import download, DownloadError, unpack

pytest.importorskip('onnx')


class Server(HTTPServer):
    """Serves `files` by path; `cut`: bytes after which the next answer breaks off."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.files, self.cut, self.requests = {}, None, []
        self.ranges = True

    def address(self, name):
        return 'http://127.0.0.1:{}/{}'.format(self.server_port, name)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, name = self.server, self.path[1:]
        server.requests.append((name, self.headers.get('Range')))
        if name.startswith('moved/'):
            self.send_response(302)
            self.send_header('Location', '/' + name[6:])
            self.end_headers()
            return
        if name not in server.files:
            self.send_error(404)
            return
        content, first = server.files[name], 0
        if server.ranges and self.headers.get('Range'):
            first = int(self.headers['Range'][6:-1])
        self.send_response(206 if first else 200)
        self.send_header('Content-Length', str(len(content) - first))
        self.end_headers()
        cut, server.cut = server.cut, None
        self.wfile.write(content[first:cut])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Return a running Server."""
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={'poll_interval': .02})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def archive(tmp_path, member='20230831/rtmpose_onnx/end2end.onnx'):
    """Return a ZIP as mmdeploy's, with a network of SimCC."""
    path = make_constant(tmp_path / 'end2end.onnx', {
        'simcc_x': np.zeros((1, 17, 384)), 'simcc_y': np.zeros((1, 17, 512))}, (1, 3, 256, 192))
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.writestr('20230831/rtmpose_onnx/pipeline.json', '{}')
        with open(path, 'rb') as stream:
            packed.writestr(member, stream.read())
    return content.getvalue()


@pytest.fixture
def table(server, tmp_path, monkeypatch):
    """Replace the table by one network `tiny` of the server, and the cache by a new folder."""
    server.files['tiny.zip'] = archive(tmp_path)
    rows = {'tiny': {'address': server.address('moved/tiny.zip'), 'license': 'Apache-2.0',
                     'type': 'simcc', 'size': [192, 256], 'accuracy': 'none'}}

    def write():
        (tmp_path / 'table.json').write_text(json.dumps(rows))
    write()
    monkeypatch.setattr(networks, 'TABLE', str(tmp_path / 'table.json'))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return rows, write


def folder_of(tmp_path):
    return tmp_path / 'cache' / 'pose_ros' / 'networks' / 'tiny'


def test_a_name_becomes_a_file_with_a_card_once(table, server, tmp_path):
    seen = []
    path = fetch('tiny', progress=lambda done, total: seen.append((done, total)))
    card = load_card(path)
    assert card.decoder.type == 'simcc' and card.license == 'Apache-2.0'
    assert seen[-1] == (len(server.files['tiny.zip']),) * 2
    assert [name for name, _ in server.requests] == ['moved/tiny.zip', 'tiny.zip']
    assert fetch('tiny') == path == stored('tiny') and len(server.requests) == 2
    assert bundled.model_file('tiny') == path


def test_an_unknown_name_is_answered_with_the_nearest(table):
    with pytest.raises(ModelError, match="no model 'tinny': did you mean tiny; `pose-ros models`"):
        bundled.model_file('tinny')
    with pytest.raises(ModelError, match='did you mean pose_crop'):
        bundled.model_file('pose_corp')
    assert bundled.model_file('folder/tinny') == 'folder/tinny'
    assert bundled.model_file('tinny.onnx') == 'tinny.onnx'


def test_a_license_that_is_not_permissive_must_be_accepted(table):
    rows, write = table
    rows['tiny']['license'] = 'AGPL-3.0'
    write()
    with pytest.raises(ModelError, match='license AGPL-3.0, .* --accept-license'):
        fetch('tiny')
    assert load_card(fetch('tiny', accept_license=True)).license == 'AGPL-3.0'


def test_a_broken_transfer_is_continued(server, tmp_path):
    content = np.random.RandomState(0).bytes(300000)
    server.files['big'], server.cut = content, 200000
    download(server.address('big'), str(tmp_path / 'big'))
    assert (tmp_path / 'big').read_bytes() == content
    assert server.requests == [('big', None), ('big', 'bytes=200000-')]


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    content = np.random.RandomState(0).bytes(5000)
    server.files['big'], server.ranges = content, False
    (tmp_path / 'big.part').write_bytes(b'x' * 3000)
    download(server.address('big'), str(tmp_path / 'big'))
    assert (tmp_path / 'big').read_bytes() == content


def test_a_server_that_is_not_there_is_told_with_the_remedy(table, server):
    rows, write = table
    rows['tiny']['address'] = 'http://127.0.0.1:9/tiny.zip'
    write()
    with pytest.raises(DownloadError, match='cannot be fetched: .* Without a connection here, '
                                            'fetch http://127.0.0.1:9/tiny.zip elsewhere and put '
                                            'it to .*networks/tiny/tiny.zip'):
        fetch('tiny')


def test_a_file_that_was_brought_is_taken(table, server, tmp_path):
    folder_of(tmp_path).mkdir(parents=True)
    (folder_of(tmp_path) / 'tiny.zip').write_bytes(server.files['tiny.zip'])
    assert load_card(fetch('tiny')).decoder.type == 'simcc' and server.requests == []


def test_missing_files_and_other_addresses(server, tmp_path):
    with pytest.raises(DownloadError, match='answers 404'):
        download(server.address('none'), str(tmp_path / 'x'))
    with pytest.raises(DownloadError, match='no address of a web server'):
        download('file:///etc/passwd', str(tmp_path / 'x'))


def test_a_file_with_another_hash_is_refused_later(table, server, tmp_path):
    fetch('tiny')
    (folder_of(tmp_path) / 'tiny.zip').unlink()
    (folder_of(tmp_path) / 'model.onnx').unlink()
    server.files['tiny.zip'] += b'more'
    with pytest.raises(ModelError, match='SHA-256 .*, and had .* before: it was removed'):
        fetch('tiny')
    assert sorted(item.name for item in folder_of(tmp_path).iterdir()) == ['record.json']


def test_an_archive_is_unpacked_by_content_only(tmp_path):
    evil = tmp_path / 'evil.zip'
    evil.write_bytes(archive(tmp_path, '../../outside/end2end.onnx'))
    unpack(str(evil), '.onnx', str(tmp_path / 'inside.onnx'))
    assert (tmp_path / 'inside.onnx').stat().st_size > 100
    assert not (tmp_path.parent / 'outside').exists()
    with pytest.raises(DownloadError, match='holds 0 files that end in .xml'):
        unpack(str(evil), '.xml', str(tmp_path / 'x'))
    evil.write_bytes(evil.read_bytes()[:500])
    with pytest.raises(DownloadError, match='no whole ZIP archive'):
        unpack(str(evil), '.onnx', str(tmp_path / 'x'))


def test_sizes_are_limited(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, 'LARGEST', 1000)
    server.files['big'] = bytes(2000)
    with pytest.raises(DownloadError, match='has 2000 bytes, more than 1000'):
        download(server.address('big'), str(tmp_path / 'big'))
    with zipfile.ZipFile(str(tmp_path / 'bomb.zip'), 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.writestr('a.onnx', bytes(100000))
    with pytest.raises(DownloadError, match='has 100000 bytes, more than 1000'):
        unpack(str(tmp_path / 'bomb.zip'), '.onnx', str(tmp_path / 'x'))


def test_a_full_disk_is_an_error_and_leaves_no_model(table, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr(networks, 'adopt', fail)
    with pytest.raises(OSError, match='No space left'):
        fetch('tiny')
    assert stored('tiny') is None


def test_the_table_is_complete():
    assert 'rtmo-s' in names() and 'yolox-tiny' in names() and 'rtmpose-m' in names()
    for name in names():
        network = find(name)
        assert network.address.startswith('https://') and network.accuracy
        assert network.license in networks.PERMISSIVE
    with pytest.raises(PoseRosError):
        find('nothing like it')
