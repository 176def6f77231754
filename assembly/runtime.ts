// Deliberately without code. The core has no heap: with this file as the runtime,
// anything that would allocate (`new`, string building, slices) does not compile.
