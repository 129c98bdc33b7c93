# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help venv build training demo test test-core test-ros test-simulated test-rtx test-cluster test-training test-fitting lint bench clean
export PYTHON ROS RTX

FLAVOR := $(shell ROS='$(ROS)' tools/ros_flavor.sh)
ifeq ($(FLAVOR),)
$(error no ROS 2 to use)
endif
# -jazzy with ROS=jazzy, else empty: both sets of wheels can be installed and built side by side.
SUFFIX := $(patsubst wheels%,%,$(filter wheels-%,$(FLAVOR)))
VENV := .venv$(SUFFIX)/.installed-$(FLAVOR)
BUILT := install$(SUFFIX)/.built-$(FLAVOR)
TRAINING := .venv-training/.installed
# TensorRT for RTX, for the tests; none with RTX=0.
ifneq ($(RTX),0)
RTX_VENV := .venv$(SUFFIX)/.installed-rtx-$(FLAVOR)
RTX_TRAINING := .venv-training/.installed-rtx
endif
# The overlay holds links to the sources: it is rebuilt when a file comes or goes, not when one changes.
SOURCE_FOLDERS := $(shell find pose_ros launch config scripts -type d -not -name __pycache__)
PYTHON_FILES := $(wildcard setup.py pose_ros launch benchmark test training tools/*.py scripts/*)
PYTEST := POSE_ROS_ISOLATE=1 tools/env.sh python -m pytest
TRAINING_PYTEST := .venv-training/bin/python -m pytest -c training/pyproject.toml
# The groups without nodes run in several processes: one per core, at most 4, or JOBS of them. A file of tests
# stays in one process, because it shares fixtures.
JOBS := auto
PARALLEL := -n $(JOBS) --maxprocesses 4 --dist loadfile
# An argument for the demo, when its variable is set: $(call option,--model,$(MODEL))
option = $(if $(2),$(1) "$(2)")
help:  ## show this list
	@echo 'make TARGET, where TARGET is one of:'
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo 'With a sourced ROS 2 these use it; else they bring their own: Kilted, or Jazzy with ROS=jazzy.'
	@echo 'PYTHON=/path/to/python3 picks the Python of a new .venv.'
	@echo 'JOBS=1 runs the tests in one process.'
	@echo 'RTX=0 leaves out the tests with TensorRT for RTX, which pip installs under the license of NVIDIA.'

venv: $(VENV)  ## make the virtual environment .venv
$(VENV): $(wildcard requirements/ros-*.txt) requirements/test.txt
	@tools/make_venv.sh
	@touch $@

.venv$(SUFFIX)/.installed-rtx-$(FLAVOR): $(VENV) requirements/rtx.txt
	.venv$(SUFFIX)/bin/python -m pip install -qq -r requirements/rtx.txt
	@touch $@

.venv$(SUFFIX)/.installed-ray-$(FLAVOR): $(VENV) requirements/ray.txt
	.venv$(SUFFIX)/bin/python -m pip install -qq -r requirements/ray.txt
	@touch $@

.venv-training/.installed-rtx: $(TRAINING) requirements/rtx.txt
	.venv-training/bin/python -m pip install -qq -r requirements/rtx.txt
	@touch $@

build: $(BUILT)  ## build the messages and the ROS 2 overlay into install/
$(BUILT): $(VENV) CMakeLists.txt package.xml $(wildcard msg/*.msg tools/interfaces/*/*) $(SOURCE_FOLDERS)
	@tools/build.sh
	@touch $@

training: $(TRAINING)  ## install training/ (pose-train, PyTorch) into .venv-training
$(TRAINING): requirements/training.txt training/pyproject.toml setup.py
	@tools/make_training_venv.sh
	@touch $@

demo: $(BUILT)  ## skeletons over ROS 2 [MODEL=net.onnx] [INPUT=image|video|camera] [OUTPUT=...] [DURATION=seconds]
	POSE_ROS_ISOLATE=1 tools/env.sh python -m pose_ros.nodes.run_demo $(call option,--model,$(MODEL)) \
	  $(call option,--input,$(INPUT)) $(call option,--output,$(OUTPUT)) $(call option,--duration,$(DURATION))

# Groups of tests are pytest markers: of a folder in test/conftest.py, of a module in training/test.
ifeq ($(TESTS),)
test: test-core test-simulated test-rtx test-cluster test-ros test-training test-fitting  ## run all tests, or TESTS='test/core -k paf', TESTS=training/test
else ifneq ($(filter training%,$(TESTS)),)
test: $(TRAINING) $(RTX_TRAINING)
	$(TRAINING_PYTEST) $(TESTS)
else
test: $(BUILT) $(RTX_VENV)
	$(PYTEST) $(TESTS)
endif

test-core: $(VENV)  ## run the tests that need no ROS, also under Python 3.6 where there is one
	$(PYTEST) $(PARALLEL) -m core --ignore=test/ros test
	tools/test_python36.sh $(PARALLEL)

test-simulated: $(VENV)  ## run the tests of TensorRT, on a simulation
	$(PYTEST) $(PARALLEL) -m simulated test/simulated

test-rtx: $(VENV) $(RTX_VENV)  ## run the tests with the real parser and builder of TensorRT for RTX, without a GPU [RTX=0: none]
	$(if $(RTX_VENV),$(PYTEST) -m rtx test/rtx)

test-cluster: $(VENV) .venv$(SUFFIX)/.installed-ray-$(FLAVOR)  ## run the test of pose-ros batch on a real Ray of two workers
	$(PYTEST) -m cluster test/cluster

test-ros: $(BUILT)  ## run the tests of the nodes and launch files
	$(PYTEST) -m ros test/ros

test-training: $(TRAINING) $(RTX_TRAINING)  ## run the tests of training/, except those of test-fitting
	$(TRAINING_PYTEST) $(PARALLEL) -m 'not fitting' training/test

# Training forks its loaders, and a fork takes over no threads: the tests that train have processes of their own,
# in which no other test has started an inference runtime.
test-fitting: $(TRAINING)  ## run the tests that train
	$(TRAINING_PYTEST) $(PARALLEL) -m fitting training/test

lint: $(VENV)  ## check style (ruff), types (mypy) and spelling (codespell); ruff.toml and setup.cfg hold the rules
	.venv$(SUFFIX)/bin/python -m ruff check --quiet $(PYTHON_FILES)
	.venv$(SUFFIX)/bin/python -m mypy --no-error-summary
	.venv$(SUFFIX)/bin/codespell
	for file in tools/*.sh docker/*.sh .ci/run; do bash -n $$file || exit 1; done

bench: $(BUILT)  ## measure speed, and what ROS adds to it [MODEL=net.onnx]
	tools/env.sh python benchmark/stages.py $(call option,--model,$(MODEL))
	tools/env.sh python benchmark/ros_path.py $(call option,--model,$(MODEL))

clean:  ## remove what these targets made
	rm -rf .venv .venv-jazzy .venv36 .venv-training {build,install,log}{,-jazzy} .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find pose_ros launch test training benchmark tools -name __pycache__ -prune -exec rm -rf {} +
