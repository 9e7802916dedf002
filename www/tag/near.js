// Which tags are near the viewport, by one observer for all of them.

/** How far outside the viewport a tag may be and still begin: what a reader scrolls in a moment. */
const MARGIN = '250px';

/** @type {WeakMap<Element, (isNear: boolean) => void>} */
const listeners = new WeakMap();
/** @type {IntersectionObserver | undefined} */
let observer;

/**
 * Tells whether an element comes near the viewport, and whether it leaves.
 * @param {Element} element
 * @param {(isNear: boolean) => void} listener
 */
export function watchNear(element, listener) {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) listeners.get(target)?.(isIntersecting);
    },
    { rootMargin: MARGIN },
  );
  listeners.set(element, listener);
  observer.observe(element);
}

/** @param {Element} element */
export function unwatchNear(element) {
  listeners.delete(element);
  observer?.unobserve(element);
}
