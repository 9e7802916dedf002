// The picture that an author puts inside the tag.

/** @param {Element} element */
export const insideOf = (element) => element.querySelector('img');

/**
 * The address of the picture inside; empty where there is none. The browser chooses it where there are several. Else
 * `src` has it at once, while `currentSrc` is that of the picture before until the new one is loaded.
 * @param {Element} element
 */
export function sourceOf(element) {
  const image = insideOf(element);
  if (!image) return '';
  const isChosen = image.srcset || image.closest('picture');
  return (isChosen && image.currentSrc) || image.src;
}

/**
 * Tells when the picture inside, or what it is said to show, may be another one. Returns how to stop that.
 * @param {Element} element
 * @param {() => void} listener
 */
export function watchInside(element, listener) {
  const observer = new MutationObserver((records) => records.some(isOfPicture) && listener());
  observer.observe(element, { childList: true, subtree: true, attributeFilter: ['src', 'srcset', 'alt'] });
  // A picture that the browser chooses is known when it is there.
  element.addEventListener('load', listener, true);
  return () => {
    observer.disconnect();
    element.removeEventListener('load', listener, true);
  };
}

/** @param {MutationRecord} record */
function isOfPicture({ type, addedNodes, removedNodes }) {
  return type === 'attributes' || [...addedNodes, ...removedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE);
}
