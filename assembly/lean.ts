// What a core is built without, besides what `isDefined(SMALL)` leaves out where it stands: constants, so that no byte
// of it is in the module. The lean core (LEAN) is the whole core for boards where it is compiled ahead of time: all of
// TUF, delegations, payloads and components, with no other signatures than Ed25519's and no encrypted payloads.

/** No key but Ed25519's is verified, of metadata and of images. */
// @ts-ignore: decorator
@inline export const ED25519_ALONE: bool = isDefined(SMALL) ? true : isDefined(LEAN);

/** An image may come as a patch or compressed: of the small core there is a build that has it (PATCHES). */
// @ts-ignore: decorator
@inline export const PATCHING: bool = isDefined(SMALL) ? isDefined(PATCHES) : true;

/** Payloads may be encrypted, and the device has a key. */
// @ts-ignore: decorator
@inline export const ENCRYPTION: bool = !ED25519_ALONE;
