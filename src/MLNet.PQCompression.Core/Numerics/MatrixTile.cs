namespace MLNet.PQCompression.Numerics;

/// <summary>The innermost step of a matrix product: a tile of C held in registers while k runs.</summary>
internal unsafe interface IMatrixTile
{
    /// <summary>Rows of the tile: the width of A's packed panels.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of the tile: the width of B's packed panels.</summary>
    static abstract int Columns { get; }

    /// <summary>c[i, j] = β·c[i, j] + Σₚ a[p·Rows + i]·b[p·Columns + j], for i below <paramref name="rows"/> rounded up to a row variant and all j.</summary>
    /// <param name="rows">The rows wanted, 1 to Rows. Up to Rows rows of c are written.</param>
    /// <param name="k">The summed dimension.</param>
    /// <param name="a">A packed panel of A, [k, Rows].</param>
    /// <param name="b">A packed panel of B, [k, Columns].</param>
    /// <param name="c">The tile's first value.</param>
    /// <param name="ldc">Distance between c's rows.</param>
    /// <param name="beta">0 overwrites c without reading it.</param>
    static abstract void Multiply(int rows, int k, float* a, float* b, float* c, nint ldc, float beta);

    /// <summary>The step of the row variants: asked for some rows, <see cref="Multiply"/> writes them rounded up to a multiple of it.</summary>
    static abstract int RowStep { get; }
}

/// <summary>A number of rows known when the tile is compiled.</summary>
internal interface IRowCount
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }
}

internal readonly struct Rows12 : IRowCount { public static int Count => 12; }

internal readonly struct Rows8 : IRowCount { public static int Count => 8; }

internal readonly struct Rows6 : IRowCount { public static int Count => 6; }

internal readonly struct Rows4 : IRowCount { public static int Count => 4; }

internal readonly struct Rows2 : IRowCount { public static int Count => 2; }

internal readonly struct Rows1 : IRowCount { public static int Count => 1; }
