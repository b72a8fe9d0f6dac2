// Functions of each entry of an array in the browser: the inner loops of NumPy's ufuncs for float32 and float64, in SIMD
// of 128 bits, where the arrays lie in one piece. Each is called in the place of NumPy's own, which it gets as `numpys`
// and leaves all else to: other strides, sums along an axis, arrays that overlap. So NumPy's own decides what is right.
//
// Sums, products and the like give NumPy's bits. exp and tanh are those of the Cephes library (S. L. Moshier, 1984-1992,
// public domain), within two units of the last place.

typedef long size;  // NumPy's npy_intp: 32 bits in wasm32
typedef void Loop(char **args, const size *counts, const size *steps, void *data);

#define INLINE static inline __attribute__((always_inline))
#define EXPORT __attribute__((visibility("default")))

// Whether `bytes` from `a` on and from `out` on are the same ones, or none in common.
INLINE int apart(const char *a, const char *out, size bytes) { return a == out || a >= out + bytes || out >= a + bytes; }

#define T float
#define WORD int
#define LANES 4
#define ALL(x) {x, x, x, x}
#define NAME(name) name##_float
#define LARGER __builtin_wasm_pmax_f32x4
#define SMALLER __builtin_wasm_pmin_f32x4
#define ROOT __builtin_wasm_sqrt_f32x4
#define MANTISSA 23
#define BIAS 127
#define MAGIC 0x1.8p23f   // a whole number added to it stands in its last bits
#define EXP_LOW -104.0f   // below, 0
#define EXP_HIGH 89.0f    // above, infinite
#define LOG2_E 1.44269504088896341f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#include "entries.h"
#undef T
#undef WORD
#undef LANES
#undef ALL
#undef NAME
#undef LARGER
#undef SMALLER
#undef ROOT
#undef MANTISSA
#undef BIAS
#undef MAGIC
#undef EXP_LOW
#undef EXP_HIGH
#undef LOG2_E
#undef LN2_HIGH
#undef LN2_LOW

#define T double
#define WORD long long
#define LANES 2
#define ALL(x) {x, x}
#define NAME(name) name##_double
#define LARGER __builtin_wasm_pmax_f64x2
#define SMALLER __builtin_wasm_pmin_f64x2
#define ROOT __builtin_wasm_sqrt_f64x2
#define MANTISSA 52
#define BIAS 1023
#define MAGIC 0x1.8p52
#define EXP_LOW -746.0
#define EXP_HIGH 710.0
#define LOG2_E 1.4426950408889634073599
#define LN2_HIGH 6.93145751953125e-1
#define LN2_LOW 1.42860682030941723212e-6
#define DOUBLE
#include "entries.h"
