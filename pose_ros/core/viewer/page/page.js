// Copyright 2026 The pose_ros Authors
// SPDX-License-Identifier: Apache-2.0
'use strict';

const PERIOD = 500; // ms between two questions for the state
const RETRY = 3000; // ms until a refused stream is tried again
const SILENCE = 2; // s without an image that are said
const HISTORY = 120; // s that the charts show
const element = id => document.getElementById(id);
const image = element('image');
let camera = 0; // of the list in the state
let refused = 0; // time of the last refused stream
let answered = true; // whether the server answered last time

function look() {
  refused = 0;
  image.src = `stream/${camera}?${Date.now()}`;
}

// The server then stops its work for this page.
function lookAway() {
  image.removeAttribute('src');
}

function text(id, value) {
  if (element(id).textContent !== value) element(id).textContent = value;
}

function cell(row, content, name) {
  const made = row.insertCell();
  made.className = name || '';
  made.append(content);
}

function scoreBar(score) {
  const box = document.createElement('div');
  const meter = document.createElement('meter');
  meter.value = score;
  box.append(meter, score.toFixed(2));
  return box;
}

function showPeople(people, empty) {
  const body = document.createElement('tbody');
  body.id = 'people';
  for (const person of people) {
    const row = body.insertRow();
    cell(row, person.id < 0 ? '–' : `#${person.id}`);
    cell(row, scoreBar(person.score), 'score');
    cell(row, `${person.found} of ${person.keypoints}`, 'number');
  }
  if (!people.length) {
    const row = body.insertRow();
    cell(row, empty, 'quiet');
    row.cells[0].colSpan = 3;
  }
  element('people').replaceWith(body);
}

function shape(name, commands) {
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', commands);
  if (name) path.setAttribute('class', name);
  return path;
}

// Draws one column of the samples [age, ...] against time; a gap where a value is missing.
function showChart(id, samples, column) {
  const chart = element(id);
  const values = samples.map(sample => sample[column]).filter(value => value !== null);
  const top = Math.max(1, ...values) * 1.1;
  chart.setAttribute('viewBox', '0 0 120 38');
  chart.setAttribute('preserveAspectRatio', 'none');
  const runs = [];
  let last = Infinity;
  for (const sample of samples) {
    const [age, value] = [sample[0], sample[column]];
    if (value === null || age > HISTORY) { last = Infinity; continue; }
    if (last - age > 5) runs.push([]);
    runs[runs.length - 1].push([120 * (1 - age / HISTORY), 37 - 35 * value / top]);
    last = age;
  }
  const paths = [];
  for (const run of runs) {
    const line = run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
    paths.push(shape('area', `M${run[0][0]} 38L${line}L${run[run.length - 1][0]} 38Z`), shape('', `M${line}`));
  }
  chart.replaceChildren(...paths);
}

function showSamples(samples) {
  showChart('people-chart', samples, 4);
  ['rate', 'latency', 'dropped'].forEach((name, index) => {
    showChart(`${name}-chart`, samples, index + 1);
    const newest = samples.length ? samples[samples.length - 1] : [Infinity];
    const value = newest[0] < 5 ? newest[index + 1] : null;
    text(name, value === null ? '–' : value < 10 && name !== 'latency' ? value.toFixed(1) : value.toFixed(0));
  });
}

function showProblems(state) {
  const list = element('problems');
  list.className = state.level;
  const texts = state.problems;
  if (texts.join('\n') === [...list.children].map(item => item.textContent).join('\n')) return;
  list.replaceChildren(...texts.map(problem => {
    const item = document.createElement('li');
    item.textContent = problem;
    return item;
  }));
}

function showCameras(names) {
  const bar = element('cameras');
  if (names.length < 2 || bar.children.length === names.length) return;
  bar.replaceChildren(...names.map((name, index) => {
    const button = document.createElement('button');
    button.textContent = name;
    button.setAttribute('aria-pressed', index === camera);
    button.onclick = () => {
      camera = index;
      [...bar.children].forEach((other, at) => other.setAttribute('aria-pressed', at === index));
      look();
      refresh();
    };
    return button;
  }));
}

function notice(state) {
  if (refused) return `${state.viewers} of ${state.max_viewers} viewers look already; trying again`;
  if (state.silence > SILENCE) return `${state.image ? 'camera lost: ' : ''}no image for ${Math.round(state.silence)} s`;
  return state.image ? '' : 'waiting for an image';
}

function showStatus(name, level) {
  text('status', name);
  element('status').className = `status ${level}`;
}

function show(state) {
  const lost = state.silence > SILENCE;
  document.title = `${state.title} viewer`;
  text('title', state.title);
  showCameras(state.cameras);
  const unknown = lost || !state.image;
  showPeople(unknown ? [] : state.people, unknown ? '–' : 'no people');
  text('count', unknown ? '–' : String(state.people.length));
  showSamples(state.samples);
  showProblems(state);
  text('notice', notice(state));
  element('frame').classList.toggle('lost', lost);
  text('source', state.source);
  text('viewers', `${state.viewers} of ${state.max_viewers} viewers`);
  if (lost) showStatus(state.image ? 'camera lost' : 'no image', 'error');
  else if (state.level !== 'ok') showStatus(state.level, state.level);
  else if (refused || !state.image) showStatus('waiting', '');
  else showStatus('live', 'ok');
}

async function refresh() {
  const asked = camera;
  try {
    const response = await fetch(`state/${asked}`);
    if (!response.ok) throw new Error(response.statusText);
    const state = await response.json();
    if (asked !== camera) return;
    if (!answered) look(); // the server was started again
    answered = true;
    show(state);
  } catch (error) {
    answered = false;
    showStatus('no answer', 'error');
    text('notice', 'the viewer does not answer');
    element('frame').classList.add('lost');
  }
}

image.onerror = () => {
  if (image.hasAttribute('src')) refused = Date.now();
};
document.addEventListener('visibilitychange', () => document.hidden ? lookAway() : look());
look();
refresh();
setInterval(() => {
  if (document.hidden) return;
  if (refused && Date.now() - refused > RETRY) look();
  refresh();
}, PERIOD);
