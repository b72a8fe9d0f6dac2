// One element type T of the products in products.c, which includes this file twice. Strides are in entries.

#define COLS (2 * LANES)
#define Vector NAME(Vector)
#define Matrix NAME(Matrix)

typedef T Vector __attribute__((vector_size(16), aligned(sizeof(T))));

typedef struct {
  T *at;
  size row, col;
} Matrix;

// A tile: c[r, :] (+)= sum_k a[r * row + k * col] * b[k * next, :], for ROWS rows or fewer and COLS columns.
INLINE void NAME(tile)(const int rows, size depth, Matrix a, const T *b, size next, T *c, size c_row, int add) {
  Vector left[ROWS], right[ROWS];
  UNROLL for (int r = 0; r < rows; r++) left[r] = right[r] = (Vector){};
  for (size k = 0; k < depth; k++) {
    const Vector b0 = *(const Vector *)b, b1 = *(const Vector *)(b + LANES);
    UNROLL for (int r = 0; r < rows; r++) {
      const Vector x = ALL(a.at[r * a.row]);
      left[r] += x * b0;
      right[r] += x * b1;
    }
    a.at += a.col;
    b += next;
  }
  UNROLL for (int r = 0; r < rows; r++) {
    Vector *out = (Vector *)(c + r * c_row), *more = (Vector *)(c + r * c_row + LANES);
    *out = add ? *out + left[r] : left[r];
    *more = add ? *more + right[r] : right[r];
  }
}

static NOINLINE void NAME(any_tile)(size rows, size depth, const T *at, size row, size col, const T *b, size next, T *c,
                                    size c_row, int add) {
  const Matrix a = {(T *)at, row, col};
  if (rows == 4) NAME(tile)(4, depth, a, b, next, c, c_row, add);
  else if (rows == 3) NAME(tile)(3, depth, a, b, next, c, c_row, add);
  else if (rows == 2) NAME(tile)(2, depth, a, b, next, c, c_row, add);
  else NAME(tile)(1, depth, a, b, next, c, c_row, add);
}

// Panels of COLS columns, one after the other, each row by row; what is missing of the last one is 0.
INLINE void NAME(pack_b)(Matrix b, size depth, size cols, T *to) {
  for (size j = 0; j < cols; j += COLS) {
    const T *from = b.at + j * b.col;
    const size some = least(COLS, cols - j);
    for (size k = 0; k < depth; k++, from += b.row, to += COLS) {
      if (some == COLS && b.col == 1) {
        ((Vector *)to)[0] = ((const Vector *)from)[0];
        ((Vector *)to)[1] = ((const Vector *)from)[1];
      } else
        UNROLL for (size l = 0; l < COLS; l++) to[l] = l < some ? from[l * b.col] : 0;
    }
  }
}

// Strips of ROWS rows, one after the other, each column by column; the last one may have fewer rows.
INLINE void NAME(pack_a)(Matrix a, size rows, size depth, T *to) {
  for (size i = 0; i < rows; i += ROWS) {
    const T *from = a.at + i * a.row;
    const size some = least(ROWS, rows - i);
    for (size k = 0; k < depth; k++, from += a.col, to += ROWS)
      UNROLL for (size r = 0; r < ROWS; r++) if (r < some) to[r] = from[r * a.row];
  }
}

// A block of A (rows x depth) times a panel of B (depth x width): the tiles of COLS columns of C, one below the other.
// In A the strips are `strip` apart, and in a strip the rows `a.row`, the columns `a.col`.
INLINE void NAME(panel)(Matrix a, size strip, const T *b, size next, Matrix c, size rows, size depth, size width, int add,
                        T *spare) {
  const int whole = width == COLS && c.col == 1;
  for (size i = 0; i < rows; i += ROWS, a.at += strip, c.at += ROWS * c.row) {
    const size height = least(ROWS, rows - i);
    NAME(any_tile)(height, depth, a.at, a.row, a.col, b, next, whole ? c.at : spare, whole ? c.row : COLS, whole && add);
    if (whole) continue;
    for (size r = 0; r < height; r++)
      for (size l = 0; l < width; l++) {
        T *one = c.at + r * c.row + l * c.col;
        *one = spare[r * COLS + l] + (add ? *one : 0);
      }
  }
}

// A matrix times one column: the sum over k for each row, where both lie in one piece.
INLINE void NAME(column)(Matrix a, const T *b, Matrix c, size rows, size inner) {
  for (size i = 0; i < rows; i++) {
    const T *row = a.at + i * a.row;
    Vector left = {}, right = {};
    size k = 0;
    for (; k + COLS <= inner; k += COLS) {
      left += *(const Vector *)(row + k) * *(const Vector *)(b + k);
      right += *(const Vector *)(row + k + LANES) * *(const Vector *)(b + k + LANES);
    }
    left += right;
    T sum = 0;
    UNROLL for (int l = 0; l < LANES; l++) sum += left[l];
    for (; k < inner; k++) sum += row[k] * b[k];
    c.at[i * c.row] = sum;
  }
}

// So little that blocks and panels would be most of the work.
INLINE void NAME(few)(Matrix a, Matrix b, Matrix c, size rows, size inner, size cols) {
  for (size i = 0; i < rows; i++)
    for (size j = 0; j < cols; j++) {
      T sum = 0;
      for (size k = 0; k < inner; k++) sum += a.at[i * a.row + k * a.col] * b.at[k * b.row + j * b.col];
      c.at[i * c.row + j * c.col] = sum;
    }
}

INLINE void NAME(product)(Matrix a, Matrix b, Matrix c, size rows, size inner, size cols, T *work) {
  T *const a_copy = work, *const b_copy = a_copy + MC * KC, *const spare = b_copy + NC * KC;
  const int pack_a = a.col != 1 && cols > COLS, pack_b = b.col != 1 || rows > 2 * ROWS;
  for (size k = 0; k < inner; k += KC) {
    const size depth = least(KC, inner - k);
    for (size i = 0; i < rows; i += MC) {
      const size height = least(MC, rows - i);
      Matrix strips = {a.at + i * a.row + k * a.col, a.row, a.col};
      if (pack_a) {
        NAME(pack_a)(strips, height, depth, a_copy);
        strips = (Matrix){a_copy, 1, ROWS};
      }
      for (size j = 0; j < cols; j += NC) {
        const size width = least(NC, cols - j);
        const Matrix block = {b.at + k * b.row + j * b.col, b.row, b.col};
        const int packed = pack_b || width % COLS;
        if (packed) NAME(pack_b)(block, depth, width, b_copy);
        for (size l = 0; l < width; l += COLS) {
          const Matrix out = {c.at + i * c.row + (j + l) * c.col, c.row, c.col};
          NAME(panel)(strips, pack_a ? ROWS * depth : ROWS * a.row, packed ? b_copy + l * depth : block.at + l,
                      packed ? COLS : b.row, out, height, depth, least(COLS, width - l), k > 0, spare);
        }
      }
    }
  }
}

// The inner loop of np.matmul: `counts` are the products in the stack and the lengths of (m, n) and (n, p); `steps` are
// in bytes: from product to product of A, B, C, then the strides of each.
EXPORT void NAME(np_matmul)(char **args, const size *counts, const size *steps, void *work) {
  for (size s = 0; s < counts[0]; s++) {
    Matrix a = {(T *)(args[0] + s * steps[0]), steps[3] / BYTES, steps[4] / BYTES};
    Matrix b = {(T *)(args[1] + s * steps[1]), steps[5] / BYTES, steps[6] / BYTES};
    Matrix c = {(T *)(args[2] + s * steps[2]), steps[7] / BYTES, steps[8] / BYTES};
    const size inner = counts[2];
    size rows = counts[1], cols = counts[3];
    if (rows == 1 ? b.col != 1 : cols > 1 && c.col != 1 && c.row == 1) {  // the transpose of all of it: C' = B' A'
      const Matrix left = {b.at, b.col, b.row}, right = {a.at, a.col, a.row};
      a = left;
      b = right;
      c = (Matrix){c.at, c.col, c.row};
      rows = counts[3];
      cols = counts[1];
    }
    if (!inner || (rows <= FEW && cols <= FEW && inner <= FEW && rows * cols * inner <= FEW))
      NAME(few)(a, b, c, rows, inner, cols);
    else if (cols == 1 && a.col == 1 && b.row == 1)
      NAME(column)(a, b.at, c, rows, inner);
    else
      NAME(product)(a, b, c, rows, inner, cols, work);
  }
}

#undef COLS
#undef Vector
#undef Matrix
