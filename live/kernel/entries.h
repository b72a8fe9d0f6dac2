// One element type T of the functions in entries.c, which includes this file twice.

#define Vector NAME(Vector)
#define Words NAME(Words)

typedef T Vector __attribute__((vector_size(16), aligned(sizeof(T))));
typedef WORD Words __attribute__((vector_size(16), aligned(sizeof(T))));

INLINE Vector NAME(choose)(Words where, Vector yes, Vector no) {
  return (Vector)((where & (Words)yes) | (~where & (Words)no));
}

INLINE Vector NAME(add)(Vector a, Vector b) { return a + b; }
INLINE Vector NAME(subtract)(Vector a, Vector b) { return a - b; }
INLINE Vector NAME(multiply)(Vector a, Vector b) { return a * b; }
INLINE Vector NAME(divide)(Vector a, Vector b) { return a / b; }
// The first where they are equal, and NaN where one of them is, as in NumPy.
INLINE Vector NAME(maximum)(Vector a, Vector b) { return NAME(choose)(b != b, b, LARGER(a, b)); }
INLINE Vector NAME(minimum)(Vector a, Vector b) { return NAME(choose)(b != b, b, SMALLER(a, b)); }
INLINE Vector NAME(sqrt)(Vector x) { return ROOT(x); }
INLINE Vector NAME(square)(Vector x) { return x * x; }

// exp(x) = 2^n exp(r) with x = n ln 2 + r; 2^n in two factors, since one alone may be beyond the range of T.
INLINE Vector NAME(exp)(Vector x) {
  const Vector magic = ALL(MAGIC), low = ALL(EXP_LOW), high = ALL(EXP_HIGH);
  x = LARGER(SMALLER(x, high), low);  // NaN stays NaN
  const Vector whole = x * LOG2_E + magic, n = whole - magic;
  const Vector r = x - n * LN2_HIGH - n * LN2_LOW, rr = r * r;
#ifdef DOUBLE
  const Vector p = r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 9.99999999999999999910e-1);
  const Vector q = ((3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3) * rr + 2.27265548208155028766e-1) * rr + 2;
  const Vector y = 1 + 2 * (p / (q - p));
#else
  const Vector p = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r
                    + 1.6666665459e-1f) * r + 5.0000001201e-1f;
  const Vector y = p * rr + r + 1;
#endif
  const Words power = (Words)whole - (Words)magic, half = power >> 1;
  return y * (Vector)((half + BIAS) << MANTISSA) * (Vector)((power - half + BIAS) << MANTISSA);
}

// Near 0 a polynomial or a quotient of two, elsewhere 1 - 2 / (exp(2 |x|) + 1) with the sign of x.
INLINE Vector NAME(tanh)(Vector x) {
  const Words sign = (Words)x & ((Words){} + 1) << (8 * sizeof(T) - 1);
  const Vector size_of = (Vector)((Words)x ^ sign), z = x * x;
  const Vector far = 1 - 2 / (NAME(exp)(size_of + size_of) + 1);
#ifdef DOUBLE
  const Vector p = (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3;
  const Vector q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3;
  const Vector near = x + x * (z * (p / q));
#else
  const Vector near = ((((-5.70498872745e-3f * z + 2.06390887954e-2f) * z - 5.37397155531e-2f) * z + 1.33314422036e-1f) * z
                       - 3.33332819422e-1f) * z * x + x;
#endif
  return (Vector)((Words)NAME(choose)(size_of < (T)0.625, near, far) | sign);
}

#define BINARY(f)                                                                                                     \
  INLINE void NAME(f##_row)(const T *a, const int a_step, const T *b, const int b_step, T *out, size n) {             \
    size i = 0;                                                                                                       \
    const Vector first = ALL(*a), second = ALL(*b);                                                   \
    for (; i + LANES <= n; i += LANES)                                                                                \
      *(Vector *)(out + i) = NAME(f)(a_step ? *(const Vector *)(a + i) : first, b_step ? *(const Vector *)(b + i) : second); \
    for (; i < n; i++)                                                                                                \
      out[i] = NAME(f)((Vector)ALL(a[a_step ? i : 0]), (Vector)ALL(b[b_step ? i : 0]))[0];                   \
  }                                                                                                                   \
  EXPORT void NAME(np_##f)(char **args, const size *counts, const size *steps, void *numpys) {                        \
    const size n = counts[0], bytes = n * sizeof(T), a_step = steps[0], b_step = steps[1];                            \
    const T *a = (T *)args[0], *b = (T *)args[1];                                                                     \
    T *out = (T *)args[2];                                                                                            \
    if (n < 2 * LANES || steps[2] != sizeof(T) || (a_step && a_step != sizeof(T)) || (b_step && b_step != sizeof(T)) || \
        !apart(args[0], args[2], bytes) || !apart(args[1], args[2], bytes) || (!a_step && args[0] == args[2]) ||      \
        (!b_step && args[1] == args[2]))                                                                              \
      ((Loop *)numpys)(args, counts, steps, 0);                                                                       \
    else if (!a_step)                                                                                                 \
      b_step ? NAME(f##_row)(a, 0, b, 1, out, n) : NAME(f##_row)(a, 0, b, 0, out, n);                                 \
    else                                                                                                              \
      b_step ? NAME(f##_row)(a, 1, b, 1, out, n) : NAME(f##_row)(a, 1, b, 0, out, n);                                 \
  }

#define UNARY(f)                                                                                       \
  EXPORT void NAME(np_##f)(char **args, const size *counts, const size *steps, void *numpys) {         \
    const size n = counts[0];                                                                          \
    const T *a = (T *)args[0];                                                                         \
    T *out = (T *)args[1];                                                                             \
    if (steps[0] != sizeof(T) || steps[1] != sizeof(T) || !apart(args[0], args[1], n * sizeof(T))) {   \
      ((Loop *)numpys)(args, counts, steps, 0);                                                        \
      return;                                                                                          \
    }                                                                                                  \
    size i = 0;                                                                                        \
    for (; i + LANES <= n; i += LANES) *(Vector *)(out + i) = NAME(f)(*(const Vector *)(a + i));       \
    for (; i < n; i++) out[i] = NAME(f)((Vector)ALL(a[i]))[0];                                         \
  }

BINARY(add)
BINARY(subtract)
BINARY(multiply)
BINARY(divide)
BINARY(maximum)
BINARY(minimum)
UNARY(sqrt)
UNARY(square)
UNARY(exp)
UNARY(tanh)

#undef BINARY
#undef UNARY
#undef Vector
#undef Words
