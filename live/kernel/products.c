// The matrix products of NumPy in the browser, where it has no BLAS: the inner loops of `np.matmul` for float32 and
// float64, in SIMD of 128 bits. coursekit/fast/kernel.py puts them in the place of NumPy's own; build.py compiles them.
//
// C[i, j] = sum_k A[i, k] B[k, j] is made in tiles of ROWS x COLS, whose sums stay in registers. So that a tile reads
// neighbouring bytes, B is copied into panels of COLS columns, and A, unless its rows lie in one piece, into strips of
// ROWS rows; both in blocks that stay in the processor's caches.
//
// The memory is Python's, so there must be none of its own here: no static variables and no stack, only what fits into
// locals (a test looks for both). The copies go to `work`, the pointer that NumPy hands to each call: kernel.py has
// put the address of WORK bytes there.

typedef long size;  // NumPy's npy_intp: 32 bits in wasm32

#define ROWS 4
#define KC 256  // of the sum's terms, so many at a time
#define MC 128  // of A's rows
#define NC 64   // of B's columns
#define FEW 32  // multiplications
#define WORK ((MC * KC + NC * KC + 64) * sizeof(double))

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define EXPORT __attribute__((visibility("default")))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE size least(size a, size b) { return a < b ? a : b; }

#define T float
#define BYTES 4
#define LANES 4
#define ALL(x) {x, x, x, x}
#define NAME(name) name##_float
#include "products.h"
#undef T
#undef BYTES
#undef LANES
#undef ALL
#undef NAME

#define T double
#define BYTES 8
#define LANES 2
#define ALL(x) {x, x}
#define NAME(name) name##_double
#include "products.h"

EXPORT size work_bytes(void) { return WORK; }
