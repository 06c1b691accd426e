// The map: a canvas, drawn from the JSON that stands in `value`; run by Gradio's HTML component after library.js.
const canvas = () => element.querySelector('canvas.pa-canvas');
const tip = element.querySelector('.pa-tip');
const view = { scale: 1, x: 0, y: 0 };
let data = null;
let hovered = -1;
let picked = -1;
const read = () => {
  try {
    data = props.value ? JSON.parse(props.value) : null;
  } catch {
    data = null;
  }
};
const size = () => ({ width: canvas().clientWidth, height: canvas().clientHeight });
const place = ([x, y]) => {
  const { width, height } = size();
  const unit = Math.min(width, height) * 0.46;
  const wide = Math.max(1, Math.min(1.6, width / height));
  const high = Math.max(1, Math.min(1.6, height / width));
  return [width / 2 + (x * wide * view.scale + view.x) * unit, height / 2 + (y * high * view.scale + view.y) * unit];
};
const hue = (cluster) => (cluster * 137.5) % 360;
const draw = () => {
  const { width, height } = size();
  if (!data || !width) return;
  const ratio = devicePixelRatio || 1;
  const at = canvas();
  if (at.width !== Math.round(width * ratio)) at.width = Math.round(width * ratio);
  if (at.height !== Math.round(height * ratio)) at.height = Math.round(height * ratio);
  const pen = at.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const dark = document.body.classList.contains('dark');
  const ink = getComputedStyle(at).color;
  const paper = getComputedStyle(at).backgroundColor;
  const radius = Math.max(1.6, Math.min(5, 90 / Math.sqrt(data.points.length))) * Math.min(2.2, Math.sqrt(view.scale));
  const lit = new Set(data.lit);
  const dot = (index, size) => {
    const [x, y] = place(data.points[index]);
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.fill();
    return [x, y];
  };
  data.points.forEach((_, index) => {
    const other = picked >= 0 && data.clusters[index] !== picked;
    pen.fillStyle = `hsl(${hue(data.clusters[index])} ${dark ? 60 : 55}% ${dark ? 62 : 42}% / ${other ? 0.15 : 0.8})`;
    dot(index, radius);
  });
  for (const [index, wide] of [...[...lit].map((one) => [one, 4]), [data.current, 7], [hovered, 5]]) {
    if (index < 0) continue;
    pen.fillStyle = `hsl(${hue(data.clusters[index])} 70% ${dark ? 65 : 40}%)`;
    const [x, y] = dot(index, radius + 2);
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, radius + wide, 0, 2 * Math.PI);
    pen.stroke();
  }
  // The names of the clusters at their middle; one that would cover another is left out.
  const taken = [];
  pen.font = '600 12.5px system-ui, sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  data.names.forEach((name, cluster) => {
    const mine = data.points.filter((_, index) => data.clusters[index] === cluster);
    if (!name || !mine.length || (picked >= 0 && picked !== cluster)) return;
    const middle = (axis) => mine.map((point) => point[axis]).sort((a, b) => a - b)[Math.floor(mine.length / 2)];
    const [x, y] = place([middle(0), middle(1)]);
    const half = pen.measureText(name).width / 2 + 4;
    const box = [Math.max(half, Math.min(width - half, x)), Math.max(10, Math.min(height - 10, y)), half];
    if (x < 0 || x > width || y < 0 || y > height) return;
    if (taken.some(([tx, ty, th]) => Math.abs(tx - box[0]) < th + half && Math.abs(ty - box[1]) < 18)) return;
    taken.push(box);
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    pen.strokeStyle = paper;
    pen.strokeText(name, box[0], box[1]);
    pen.fillStyle = ink;
    pen.fillText(name, box[0], box[1]);
  });
};
let due = 0;
const soon = () => {
  cancelAnimationFrame(due);
  due = requestAnimationFrame(draw);
};
const nearest = (event) => {
  if (!data) return -1;
  const box = canvas().getBoundingClientRect();
  let best = -1;
  let least = 14 ** 2;
  data.points.forEach((point, index) => {
    const [x, y] = place(point);
    const distance = (x - event.clientX + box.left) ** 2 + (y - event.clientY + box.top) ** 2;
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
};
const hover = (index) => {
  hovered = index;
  tip.hidden = index < 0;
  if (index >= 0) {
    const [x, y] = place(data.points[index]);
    tip.textContent = data.titles[index];
    const { width } = size();
    tip.style.left = `${Math.max(4, Math.min(x + 12, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 14}px`;
  }
  canvas().style.cursor = index < 0 ? 'grab' : 'pointer';
  soon();
};
const zoom = (factor, px = 0, py = 0) => {
  const scale = Math.max(1, Math.min(40, view.scale * factor));
  const by = scale / view.scale;
  view.x = px - (px - view.x) * by;
  view.y = py - (py - view.y) * by;
  view.scale = scale;
  if (scale === 1) view.x = view.y = 0;
  canvas().style.touchAction = scale > 1 ? 'none' : 'pan-y'; // as long as all is shown, a finger scrolls the page
  soon();
};
const inUnits = (event) => {
  const box = canvas().getBoundingClientRect();
  const unit = Math.min(box.width, box.height) * 0.46;
  return [(event.clientX - box.left - box.width / 2) / unit, (event.clientY - box.top - box.height / 2) / unit];
};
const pointers = new Map();
let moved = 0;
element.addEventListener('pointerdown', (event) => {
  if (event.target !== canvas()) return;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = 0;
  canvas().setPointerCapture(event.pointerId);
});
element.addEventListener('pointermove', (event) => {
  if (event.target !== canvas()) return;
  const before = pointers.get(event.pointerId);
  if (!before) return event.pointerType === 'mouse' && hover(nearest(event));
  const { width, height } = size();
  const unit = Math.min(width, height) * 0.46;
  const others = [...pointers].filter(([id]) => id !== event.pointerId);
  if (others.length) {
    const [ox, oy] = others[0][1];
    const was = Math.hypot(before[0] - ox, before[1] - oy);
    if (was > 1) zoom(Math.hypot(event.clientX - ox, event.clientY - oy) / was, ...inUnits({ clientX: ox, clientY: oy }));
  } else if (view.scale > 1) {
    view.x += (event.clientX - before[0]) / unit;
    view.y += (event.clientY - before[1]) / unit;
  }
  moved += Math.abs(event.clientX - before[0]) + Math.abs(event.clientY - before[1]);
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  soon();
});
const letGo = (event) => pointers.delete(event.pointerId);
element.addEventListener('pointerup', (event) => {
  if (event.target !== canvas() || !letGo(event) || moved > 6) return;
  const index = nearest(event);
  if (index >= 0) trigger('click', { do: 'open', id: data.ids[index] });
});
element.addEventListener('pointercancel', letGo);
element.addEventListener('pointerout', (event) => event.target === canvas() && !pointers.size && hover(-1));
element.addEventListener(
  'wheel',
  (event) => {
    if (event.target !== canvas()) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...inUnits(event));
  },
  { passive: false },
);
const keys = { '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), 0: () => zoom(0), ArrowLeft: () => (view.x += 0.15), ArrowRight: () => (view.x -= 0.15), ArrowUp: () => (view.y += 0.15), ArrowDown: () => (view.y -= 0.15) };
element.addEventListener('keydown', (event) => {
  if (event.target !== canvas() || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
  soon();
});
element.addEventListener('click', (event) => {
  const by = event.target.closest('[data-zoom]');
  if (by) zoom(Number(by.dataset.zoom));
});
const renew = () => {
  read();
  hover(-1);
};
watch('value', renew);
new ResizeObserver(soon).observe(element);
new MutationObserver(soon).observe(document.body, { attributeFilter: ['class'] });
// The list of clusters stands beside the map: the one that is opened there alone is bright here.
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('.pa-cluster');
  if (!button) return;
  const cluster = Number(button.dataset.cluster);
  picked = button.getAttribute('aria-expanded') === 'true' ? -1 : cluster;
  soon();
}, true);
renew();
