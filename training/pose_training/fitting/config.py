# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations as YAML with command-line changes, checked key by key."""
import difflib
from typing import Any, Annotated, Dict, Iterator, Optional, Sequence, get_args, get_origin

import yaml

from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml
from pose_training.errors import ConfigError
from pose_training.fitting.pose_cfg import find_cfg, is_pose_cfg, translate
from pose_training.fitting.settings import RunConfig


def load_config(path: Optional[str], changes: Sequence[str] = ()) -> RunConfig:
    """Read YAML and apply changes such as `optimizer.lr=3e-4`; ConfigError names a fault.

    The file may be a pose_cfg.yaml of DeeperCut or DeepLabCut 2, see pose_cfg.py.
    """
    path = find_cfg(path) if path else path
    data: Dict[str, Any] = _read(path) if path else {}
    if path and is_pose_cfg(data):
        data = translate(data, path)
    return build(RunConfig, parse_changes(changes, data), path or 'the configuration')


def parse_changes(changes: Sequence[str], data: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Apply changes such as `optimizer.lr=3e-4` to data (default: none); ConfigError as above."""
    data = {} if data is None else data
    for change in changes:
        _apply(data, change)
    return data


def plain(config) -> Any:
    """Return a configuration as dictionaries and lists, ready for YAML or JSON."""
    if hasattr(config, '_fields'):
        return {key: plain(value) for key, value in config._asdict().items()}
    if isinstance(config, (list, tuple)):
        return [plain(value) for value in config]
    if isinstance(config, dict):
        return {key: plain(value) for key, value in config.items()}
    return config


def differences(config, other, name: str = '') -> Dict[str, tuple]:
    """Return {key: (value, other value)} of the settings in which two configurations differ."""
    if not hasattr(config, '_fields'):
        return {} if config == other else {name: (plain(config), plain(other))}
    found: Dict[str, tuple] = {}
    for key in config._fields:
        inner = name + '.' + key if name else key
        found.update(differences(getattr(config, key), getattr(other, key), inner))
    return found


def _read(path):
    try:
        data = parse_yaml(read_file(path, LARGEST_CARD))
    except (OSError, ValueError) as error:
        raise ConfigError('cannot read the configuration {}: {}'.format(path, error)) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError('{} is no configuration: expected keys such as `model:` and `data:`, '
                          'not {!r}'.format(path, str(data)[:40]))
    return data or {}


def _apply(data, change):
    name, equals, text = change.partition('=')
    if not (equals and name):
        raise ConfigError('{!r} is not KEY=VALUE, such as optimizer.lr=3e-4'.format(change))
    *parents, key = name.split('.')
    for parent in parents:
        if data.get(parent) is None:
            data[parent] = {}
        data = data[parent]
        if not isinstance(data, dict):
            raise ConfigError('{!r}: {!r} has no keys'.format(change, parent))
    try:
        data[key] = parse_yaml(text.encode())
    except ValueError as error:
        raise ConfigError('{!r}: the value is not YAML: {}'.format(change, error)) from error


def build(kind, data, where: str):
    """Build a NamedTuple from a mapping; ConfigError for unknown keys and invalid values.

    A key without a value has its default.
    """
    if not isinstance(data, dict):
        raise ConfigError('{}: expected keys ({}), not {!r}'.format(
            where, ', '.join(kind._fields), data))
    values = {}
    for key, value in data.items():
        if key not in kind._fields:
            near = difflib.get_close_matches(str(key), kind._fields, 1)
            raise ConfigError('{}: unknown key {!r}; {}'.format(
                where, key, 'did you mean {!r}?'.format(near[0]) if near
                else 'the keys are ' + ', '.join(kind._fields)))
        if value is not None:
            values[key] = _value(_annotation(kind, key)[0], value, '{}, {}'.format(where, key))
    missing = [key for key in kind._fields if key not in values
               and key not in kind._field_defaults]
    if missing:
        raise ConfigError('{}: missing key {!r}'.format(where, missing[0]))
    return kind(**values)


def _annotation(kind, key):
    """Return the type of a setting, and its line of help ('' for a group)."""
    annotation = kind.__annotations__[key]
    if get_origin(annotation) is Annotated:
        return get_args(annotation)
    return annotation, ''


def settings_help() -> str:
    """Return the list of all settings of a run, for --help."""
    return '\n'.join(describe(RunConfig))


def describe(kind, prefix: str = '') -> Iterator[str]:
    """Yield a line for every setting of a configuration: KEY=DEFAULT, and its help."""
    for key in kind._fields:
        inner, text = _annotation(kind, key)
        default = kind._field_defaults.get(key)
        if hasattr(inner, '_fields'):
            yield from describe(inner, prefix + key + '.')
            continue
        entry = get_args(inner)[0] if get_origin(inner) is tuple else None
        shown = '' if default is None else yaml.safe_dump(
            plain(default), default_flow_style=True).split('\n')[0]
        name = '  {}{}={}'.format(prefix, key, '' if shown == "''" else shown)
        yield '{:<40} {}'.format(name, text)
        if hasattr(entry, '_fields'):
            yield from describe(entry, ' ' * len(prefix) + '  - ')


def _value(kind, value, where):
    if hasattr(kind, '_fields'):
        return build(kind, value, where)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, where)
    if get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise ConfigError('{}: expected keys and values, not {!r}'.format(where, value))
        inner = get_args(kind)[1]
        return {str(key): value if inner is Any else _value(
            inner, value, '{}, {}'.format(where, key)) for key, value in value.items()}
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-3 as a word
        except ValueError:
            pass
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise ConfigError('{}: expected {}, not {!r}'.format(where, kind.__name__, value))
    return value


def _tuple(items, value, where):
    if not isinstance(value, (list, tuple)):
        raise ConfigError('{}: expected a list, not {!r}'.format(where, value))
    kinds = [items[0]] * len(value) if items[-1] is Ellipsis else items
    if len(kinds) != len(value):
        raise ConfigError('{}: expected {} values, not {!r}'.format(where, len(kinds), value))
    return tuple(_value(item, part, '{}, item {}'.format(where, position + 1))
                 for position, (item, part) in enumerate(zip(kinds, value)))
