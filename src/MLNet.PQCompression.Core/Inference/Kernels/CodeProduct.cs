using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// A matrix product whose left factor is never written down: c[r, t] = Σ_b Σ_j table[j, code[b, r]]·v[b·q + j, t]. The kernel reads a code, and
/// the code is the address of the number that it broadcasts.
/// </summary>
internal static unsafe class CodeProduct<TVector>
    where TVector : struct, IFloatVector<TVector>
{
    /// <summary>Rows computed at once over two registers of columns.</summary>
    public static int WideRows => TVector.Count == 16 ? 8 : 4;

    /// <summary>Rows computed at once over one register of columns.</summary>
    public static int NarrowRows => TVector.Count == 16 ? 16 : 8;

    /// <summary>Some rows times all columns.</summary>
    /// <param name="codes">The first row's code of block 0; codes of a block lie side by side.</param>
    /// <param name="codeStride">Distance between the codes of neighbouring blocks.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="table">[q, codewords] values.</param>
    /// <param name="codewords">Distance between the rows of the table.</param>
    /// <param name="q">Values of v that a block covers.</param>
    /// <param name="v">[blocks·q, columns] values.</param>
    /// <param name="columns">Columns, a multiple of 16, and the distance between rows of v and of c.</param>
    /// <param name="c">[rows, columns] values to write.</param>
    /// <param name="rows">Rows, a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* codes, nint codeStride, int blocks, float* table, nint codewords, int q, float* v, nint columns, float* c, int rows)
    {
        int column = 0;
        for (; column + 2 * TVector.Count <= columns; column += 2 * TVector.Count)
            for (int row = 0; row < rows; row += WideRows)
                if (WideRows == 8)
                    Wide<Eight>(CodesAt(codes, row, blocks, codeStride), codeStride, blocks, table, codewords, q, v + column, columns, c + row * columns + column);
                else
                    Wide<Four>(CodesAt(codes, row, blocks, codeStride), codeStride, blocks, table, codewords, q, v + column, columns, c + row * columns + column);
        for (; column < columns; column += TVector.Count)
            for (int row = 0; row < rows; row += NarrowRows)
                if (NarrowRows == 16)
                    Narrow<Sixteen>(CodesAt(codes, row, blocks, codeStride), codeStride, blocks, table, codewords, q, v + column, columns, c + row * columns + column);
                else
                    Narrow<Eight>(CodesAt(codes, row, blocks, codeStride), codeStride, blocks, table, codewords, q, v + column, columns, c + row * columns + column);
    }

    /// <summary>Codes lie in panels of 32 rows.</summary>
    private static byte* CodesAt(byte* codes, int row, int blocks, nint codeStride) => codes + row / 32 * blocks * codeStride + row % 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide<TRows>(byte* codes, nint codeStride, int blocks, float* table, nint codewords, int q, float* v, nint columns, float* c)
        where TRows : struct, IConstant
    {
        TVector c0l = TVector.Zero, c0h = TVector.Zero;
        TVector c1l = TVector.Zero, c1h = TVector.Zero;
        TVector c2l = TVector.Zero, c2h = TVector.Zero;
        TVector c3l = TVector.Zero, c3h = TVector.Zero;
        TVector c4l = TVector.Zero, c4h = TVector.Zero;
        TVector c5l = TVector.Zero, c5h = TVector.Zero;
        TVector c6l = TVector.Zero, c6h = TVector.Zero;
        TVector c7l = TVector.Zero, c7h = TVector.Zero;
        for (int b = 0; b < blocks; b++, codes += codeStride)
        {
            float* t = table;
            for (int j = 0; j < q; j++, t += codewords, v += columns)
            {
                TVector l = TVector.Load(v), h = TVector.Load(v + TVector.Count), w;
                w = TVector.Create(t[codes[0]]);
                c0l = TVector.MultiplyAdd(w, l, c0l);
                c0h = TVector.MultiplyAdd(w, h, c0h);
                w = TVector.Create(t[codes[1]]);
                c1l = TVector.MultiplyAdd(w, l, c1l);
                c1h = TVector.MultiplyAdd(w, h, c1h);
                w = TVector.Create(t[codes[2]]);
                c2l = TVector.MultiplyAdd(w, l, c2l);
                c2h = TVector.MultiplyAdd(w, h, c2h);
                w = TVector.Create(t[codes[3]]);
                c3l = TVector.MultiplyAdd(w, l, c3l);
                c3h = TVector.MultiplyAdd(w, h, c3h);
                if (TRows.Value > 4)
                {
                    w = TVector.Create(t[codes[4]]);
                    c4l = TVector.MultiplyAdd(w, l, c4l);
                    c4h = TVector.MultiplyAdd(w, h, c4h);
                    w = TVector.Create(t[codes[5]]);
                    c5l = TVector.MultiplyAdd(w, l, c5l);
                    c5h = TVector.MultiplyAdd(w, h, c5h);
                    w = TVector.Create(t[codes[6]]);
                    c6l = TVector.MultiplyAdd(w, l, c6l);
                    c6h = TVector.MultiplyAdd(w, h, c6h);
                    w = TVector.Create(t[codes[7]]);
                    c7l = TVector.MultiplyAdd(w, l, c7l);
                    c7h = TVector.MultiplyAdd(w, h, c7h);
                }
            }
        }
        c0l.Store(c);
        c0h.Store(c + TVector.Count);
        c1l.Store(c + columns);
        c1h.Store(c + columns + TVector.Count);
        c2l.Store(c + 2 * columns);
        c2h.Store(c + 2 * columns + TVector.Count);
        c3l.Store(c + 3 * columns);
        c3h.Store(c + 3 * columns + TVector.Count);
        if (TRows.Value > 4)
        {
            c4l.Store(c + 4 * columns);
            c4h.Store(c + 4 * columns + TVector.Count);
            c5l.Store(c + 5 * columns);
            c5h.Store(c + 5 * columns + TVector.Count);
            c6l.Store(c + 6 * columns);
            c6h.Store(c + 6 * columns + TVector.Count);
            c7l.Store(c + 7 * columns);
            c7h.Store(c + 7 * columns + TVector.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow<TRows>(byte* codes, nint codeStride, int blocks, float* table, nint codewords, int q, float* v, nint columns, float* c)
        where TRows : struct, IConstant
    {
        TVector c0l = TVector.Zero;
        TVector c1l = TVector.Zero;
        TVector c2l = TVector.Zero;
        TVector c3l = TVector.Zero;
        TVector c4l = TVector.Zero;
        TVector c5l = TVector.Zero;
        TVector c6l = TVector.Zero;
        TVector c7l = TVector.Zero;
        TVector c8l = TVector.Zero;
        TVector c9l = TVector.Zero;
        TVector c10l = TVector.Zero;
        TVector c11l = TVector.Zero;
        TVector c12l = TVector.Zero;
        TVector c13l = TVector.Zero;
        TVector c14l = TVector.Zero;
        TVector c15l = TVector.Zero;
        for (int b = 0; b < blocks; b++, codes += codeStride)
        {
            float* t = table;
            for (int j = 0; j < q; j++, t += codewords, v += columns)
            {
                TVector l = TVector.Load(v);
                c0l = TVector.MultiplyAdd(l, t + codes[0], c0l);
                c1l = TVector.MultiplyAdd(l, t + codes[1], c1l);
                c2l = TVector.MultiplyAdd(l, t + codes[2], c2l);
                c3l = TVector.MultiplyAdd(l, t + codes[3], c3l);
                c4l = TVector.MultiplyAdd(l, t + codes[4], c4l);
                c5l = TVector.MultiplyAdd(l, t + codes[5], c5l);
                c6l = TVector.MultiplyAdd(l, t + codes[6], c6l);
                c7l = TVector.MultiplyAdd(l, t + codes[7], c7l);
                if (TRows.Value > 8)
                {
                    c8l = TVector.MultiplyAdd(l, t + codes[8], c8l);
                    c9l = TVector.MultiplyAdd(l, t + codes[9], c9l);
                    c10l = TVector.MultiplyAdd(l, t + codes[10], c10l);
                    c11l = TVector.MultiplyAdd(l, t + codes[11], c11l);
                    c12l = TVector.MultiplyAdd(l, t + codes[12], c12l);
                    c13l = TVector.MultiplyAdd(l, t + codes[13], c13l);
                    c14l = TVector.MultiplyAdd(l, t + codes[14], c14l);
                    c15l = TVector.MultiplyAdd(l, t + codes[15], c15l);
                }
            }
        }
        c0l.Store(c);
        c1l.Store(c + columns);
        c2l.Store(c + 2 * columns);
        c3l.Store(c + 3 * columns);
        c4l.Store(c + 4 * columns);
        c5l.Store(c + 5 * columns);
        c6l.Store(c + 6 * columns);
        c7l.Store(c + 7 * columns);
        if (TRows.Value > 8)
        {
            c8l.Store(c + 8 * columns);
            c9l.Store(c + 9 * columns);
            c10l.Store(c + 10 * columns);
            c11l.Store(c + 11 * columns);
            c12l.Store(c + 12 * columns);
            c13l.Store(c + 13 * columns);
            c14l.Store(c + 14 * columns);
            c15l.Store(c + 15 * columns);
        }
    }
}
