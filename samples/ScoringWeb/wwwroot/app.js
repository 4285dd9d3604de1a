// The page: hands a picture to the service and shows both opinions. No framework, nothing from elsewhere.
const find = id => document.getElementById(id);
const [drop, file, camera, video, shoot, preview, status] = ['drop', 'file', 'camera', 'video', 'shoot', 'preview', 'status'].map(find);
const bytes = n => n >= 1048576 ? `${(n / 1048576).toFixed(2)} MiB` : `${(n / 1024).toFixed(1)} KiB`;
let shown = null;

const say = (text, isError = false) => { status.textContent = text; status.classList.toggle('error', isError); };

function showSizes(id, size, latency) {
  const rows = [['on disk', bytes(size.fileBytes)], ['weights in memory', bytes(size.weightBytes)]];
  if (latency !== undefined) rows.push(['time of the network', `${latency.toFixed(2)} ms`]);
  find(id).querySelector('.size').replaceChildren(...rows.flatMap(([name, value]) => [Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: value })]));
}

function showOpinion(id, opinion) {
  find(id).querySelector('.classes').replaceChildren(...opinion.classes.map(c => {
    const item = document.createElement('li');
    item.style.setProperty('--share', `${(100 * c.probability).toFixed(1)}%`);
    item.append(Object.assign(document.createElement('span'), { textContent: c.name }), Object.assign(document.createElement('span'), { textContent: `${(100 * c.probability).toFixed(1)} %` }));
    return item;
  }));
  showSizes(id, model[id], opinion.milliseconds);
}

let model = null;
async function start() {
  for (;;) {
    try {
      const health = await fetch('health');
      const { status: state } = await health.json();
      if (health.ok) break;
      say(state.startsWith('failed') ? `The service is not usable: ${state}` : `The networks are being prepared: ${state}`, state.startsWith('failed'));
    } catch { say('The service does not answer.', true); }
    await new Promise(done => setTimeout(done, 1000));
  }
  model = await (await fetch('api/model')).json();
  showSizes('teacher', model.teacher);
  showSizes('student', model.student);
  say('Ready.');
}

async function score(picture) {
  if (!model) { say('The networks are still being prepared; try again in a moment.', true); return; }
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(picture);
  preview.src = shown;
  preview.alt = 'The picture that was scored';
  preview.hidden = false;
  say('Scoring …');
  try {
    const answer = await fetch('api/score?top=3', { method: 'POST', headers: { 'Content-Type': picture.type || 'application/octet-stream' }, body: picture });
    const result = await answer.json();
    if (!answer.ok) { say(result.detail ?? result.title ?? `Error ${answer.status}`, true); return; }
    showOpinion('teacher', result.teacher);
    showOpinion('student', result.student);
    const [a, b] = [result.teacher.classes[0].name, result.student.classes[0].name];
    say(a === b ? `Both say ${a}.` : `The uncompressed network says ${a}, the compressed one ${b}.`);
  } catch { say('The service does not answer.', true); }
}

file.addEventListener('change', () => file.files[0] && score(file.files[0]));
for (const type of ['dragenter', 'dragover']) drop.addEventListener(type, e => { e.preventDefault(); drop.classList.add('over'); });
for (const type of ['dragleave', 'drop']) drop.addEventListener(type, () => drop.classList.remove('over'));
drop.addEventListener('drop', e => { e.preventDefault(); if (e.dataTransfer.files[0]) score(e.dataTransfer.files[0]); });

if (navigator.mediaDevices?.getUserMedia) camera.hidden = false;
camera.addEventListener('click', async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    video.hidden = shoot.hidden = false;
    await video.play();
  } catch { say('The camera cannot be used.', true); }
});
shoot.addEventListener('click', () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d').drawImage(video, 0, 0);
  canvas.toBlob(picture => score(picture), 'image/png');
  for (const track of video.srcObject.getTracks()) track.stop();
  video.hidden = shoot.hidden = true;
});

start();
