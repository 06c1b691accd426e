// The library's parts in the browser: given to Gradio's HTML component as what it runs when it has loaded (`element`, `trigger`, `watch`).
// Whatever can be pressed has `data-do`, and beside it what its handler needs.
const press = (at, more = {}) => trigger('click', { ...at.dataset, ...more });
element.addEventListener('click', (event) => {
  const at = event.target.closest('[data-do]');
  if (!at || at.disabled) return;
  if (at.matches('input')) return press(at, { on: at.checked });
  event.preventDefault();
  press(at);
});
// A box that the reader has ticked no longer follows its attribute.
watch('value', () => element.querySelectorAll('input[data-do]').forEach((box) => (box.checked = box.hasAttribute('checked'))));

// On a small screen the counts are folded away at first.
watch('value', () => {
  if (window.paFolded || !element.querySelector('.pa-counts') || !matchMedia('(max-width: 640px)').matches) return;
  window.paFolded = true;
  document.querySelector('#pa-lib-counts .label-wrap.open')?.click();
});
