// Which build a script belongs to. `cargo xtask build` writes the hash of all files of the page in the place of the word
// below, here and in the engine, so that parts of two versions know each other for what they are. The word has as many
// letters as the hash, because whoever shortens scripts counts them.

export const BUILD = '__PELLUCID_BUILD';
