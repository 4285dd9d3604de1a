namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>One colour component of a frame: its geometry, its tables, its samples.</summary>
internal sealed class JpegComponent(int id, int horizontal, int vertical, int quantization)
{
    public int Id => id;

    /// <summary>Blocks across in an MCU.</summary>
    public int Horizontal => horizontal;

    /// <summary>Blocks down in an MCU.</summary>
    public int Vertical => vertical;

    /// <summary>The slot of the quantization table.</summary>
    public int QuantizationSlot => quantization;

    /// <summary>Samples in a row that belong to the image.</summary>
    public int Width { get; private set; }

    /// <summary>Rows of samples that belong to the image.</summary>
    public int Height { get; private set; }

    /// <summary>Blocks across that hold samples of the image.</summary>
    public int BlocksAcross { get; private set; }

    /// <summary>Blocks down that hold samples of the image.</summary>
    public int BlocksDown { get; private set; }

    /// <summary>Blocks across, filled up to whole MCUs.</summary>
    public int BlockStride { get; private set; }

    /// <summary>All blocks, filled up to whole MCUs.</summary>
    public long BlockCount { get; private set; }

    /// <summary>Samples from one row of <see cref="Samples"/> to the next.</summary>
    public int Stride => BlockStride * 8;

    /// <summary>The decoded samples, at least BlockCount · 64.</summary>
    public byte[] Samples { get; set; } = [];

    /// <summary>Of progressive frames: the coefficients of every block, each block row by row.</summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>The quantization steps, in the order of the stream, as they stood when the component's first scan began.</summary>
    public ushort[]? Quantization { get; set; }

    public HuffmanTable? DcTable { get; set; }

    public HuffmanTable? AcTable { get; set; }

    /// <summary>The DC coefficient of the block before.</summary>
    public int DcPredictor { get; set; }

    /// <summary>Whether a scan of the component has been read to its end.</summary>
    public bool IsDecoded { get; set; }

    /// <summary>Computes the geometry within a frame (T.81, A.1.1 and A.2).</summary>
    public void Place(JpegFrame frame)
    {
        Width = CeilDiv(frame.Width * (long)horizontal, frame.MaxHorizontal);
        Height = CeilDiv(frame.Height * (long)vertical, frame.MaxVertical);
        BlocksAcross = CeilDiv(Width, 8);
        BlocksDown = CeilDiv(Height, 8);
        BlockStride = frame.McusAcross * horizontal;
        BlockCount = (long)BlockStride * frame.McusDown * vertical;
    }

    private static int CeilDiv(long value, int by) => (int)((value + by - 1) / by);
}
