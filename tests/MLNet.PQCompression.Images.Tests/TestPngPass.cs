namespace MLNet.PQCompression.Tests.Images;

/// <summary>The pixels of a PNG image that one pass of interlacing carries.</summary>
internal readonly record struct TestPngPass(int FirstColumn, int FirstRow, int ColumnStep, int RowStep)
{
    /// <summary>The seven passes of Adam7.</summary>
    public static readonly TestPngPass[] Adam7 =
        [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];

    /// <summary>Pixels of a row in the pass.</summary>
    public int Columns(int width) => (width - FirstColumn + ColumnStep - 1) / ColumnStep;

    /// <summary>Rows in the pass.</summary>
    public int Rows(int height) => (height - FirstRow + RowStep - 1) / RowStep;
}
