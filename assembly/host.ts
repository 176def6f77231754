// The ABI inward: everything that the core asks of its host. Version 3.
//
// Every value is an i32; sizes, offsets and seconds are read as u32. Pointers are offsets in the
// module's own linear memory. A negative result is an error, and the core passes it on as a status.
// The contract of each call, power loss included, is in host/README.md.

/** Reads `length` bytes at `offset` of an area into `pointer`. Any alignment. 0, or negative: unreadable. */
@external("moult", "flash_read")
export declare function flash_read(area: i32, offset: u32, pointer: usize, length: u32): i32;

/**
 * Programs `length` bytes from `pointer`. Offset and length are multiples of the area's write unit
 * and the units are erased. 0, or negative: not written.
 */
@external("moult", "flash_write")
export declare function flash_write(area: i32, offset: u32, pointer: usize, length: u32): i32;

/** Erases `length` bytes; both ends are erase block boundaries. 0, or negative: not erased. */
@external("moult", "flash_erase")
export declare function flash_erase(area: i32, offset: u32, length: u32): i32;

/** The size of an area in bytes (a sum of whole erase blocks). 0: there is no such area. */
@external("moult", "flash_size")
export declare function flash_size(area: i32): u32;

/** The offset one past the erase block that contains `offset`. Blocks may differ in size. */
@external("moult", "flash_block_end")
export declare function flash_block_end(area: i32, offset: u32): u32;

/** The write unit in bits 0 to 15 (1 to 32, a power of two), the erased byte in bits 16 to 23. */
@external("moult", "flash_unit")
export declare function flash_unit(area: i32): u32;

/** The security counter, monotonic in hardware; negative: this board has none. */
@external("moult", "counter_read")
export declare function counter_read(): i32;

/** Raises the security counter to `value`; a lower value changes nothing. 0, or negative: not raised. */
@external("moult", "counter_advance")
export declare function counter_advance(value: u32): i32;

/**
 * Bits 0 to 7: the slots that run, bit k set when component k runs in its slot B; bit 8 set: they run on trial.
 * Negative: unknown.
 */
@external("moult", "boot_state")
export declare function boot_state(): i32;

/**
 * From the next boot on, try the slots of this bit map, all at once; without a confirm within the host's attempts, those
 * that are confirmed now return.
 */
@external("moult", "boot_select")
export declare function boot_select(slots: i32): i32;

/** Makes the running slots permanent. Doing it twice is doing it once. */
@external("moult", "boot_confirm")
export declare function boot_confirm(): i32;

/**
 * Ends a trial, or takes back a selection that was not tried yet: from the next boot on the slots before it run.
 * With neither it changes nothing. Doing it twice is doing it once.
 */
@external("moult", "boot_revert")
export declare function boot_revert(): i32;

/**
 * Fills `length` bytes at `pointer` with random bytes that nobody can foresee. 0; or negative: this board has no source
 * of them, and the bytes are of no worth.
 */
@external("moult", "entropy")
export declare function entropy(pointer: usize, length: u32): i32;

// Global, so that the crypto folder calls it where it is part of the core and has no imports where it is alone.
/**
 * One block of SHA-256 (FIPS 180-4, 6.2.2), where the host has hardware or native code for it: the state at `state`,
 * eight words in the processor's order, takes in the 64 bytes at `block`. 0; or negative: nothing was done, this host
 * does not do it, and is not asked again. The core then does it itself, with the same result.
 */
@global
@external("moult", "sha256_compress")
export declare function sha256_compress(state: usize, block: usize): i32;
