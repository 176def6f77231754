// What the tests call: the library, and inside it the field and the scalars, with the bounds asserted.
export * from "./index";
export {
  field_add, field_add_reduced, field_add_reduced_small, field_add_small, field_freeze, field_is_zero, field_load,
  field_multiply, field_parity, field_power_p58, field_square, field_square_small, field_subtract, field_subtract_small,
} from "./field25519";
export { point_load } from "./edwards25519";
export { scalar_digits, scalar_halve, scalar_is_canonical, scalar_multiply, scalar_multiply_add, scalar_reduce } from "./scalar25519";
export { ed25519_public, ed25519_sign_begin as ed25519_device_begin, ed25519_sign_end as ed25519_device_end } from "./ed25519device";
export { BASE_TABLES } from "./base25519";
export { chacha20_begin, chacha20_update } from "./chacha20";
export { poly1305_begin, poly1305_end, poly1305_update } from "./poly1305";
export { integer_inverse, integer_load, integer_multiply, integer_store } from "./integer";
export {
  fp_combine, fp_combine_fast, fp_is_zero, fp_load, fp_multiply, fp_multiply_fast, fp_square, fp_square_fast, fp_store,
} from "./p256field";
export { P256_BASE_TABLE, P256_BASE_REST } from "./p256base";
export { p256_add, p256_double_negate, p256_from_integers, p256_multiples } from "./p256point";
