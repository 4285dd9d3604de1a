namespace MLNet.PQCompression.Inference.Plan;

/// <summary>How a value lies in memory.</summary>
internal enum ValueLayout
{
    /// <summary>N × C/16 × H × W × 16: the channels in blocks of 16, the last filled up with zeros, each plane with a border of zeros.</summary>
    Blocked,

    /// <summary>N × C × H × W, each plane with a border of zeros.</summary>
    Planes,

    /// <summary>Row-major without borders, whatever the rank.</summary>
    Flat,
}

/// <summary>A value of the compiled plan: its size, its layout and its place in the workspace.</summary>
/// <remarks>A matrix N×C is a value of 1×1 pixels; a value of any other rank is flat.</remarks>
internal sealed class PlanValue(string name, ValueLayout layout, int channels, int height, int width)
{
    public const int Block = 16;

    public string Name { get; } = name;

    public ValueLayout Layout { get; } = layout;

    public int Channels { get; } = channels;

    public int Height { get; } = height;

    public int Width { get; } = width;

    /// <summary>The width of the border of zeros: the largest padding that a reader asks for.</summary>
    public int Border { get; private set; }

    /// <summary>Where the value begins, in values for one image; with a batch of N everything lies N times as far.</summary>
    public long Offset { get; set; }

    /// <summary>Values stored for a pixel of a plane.</summary>
    public int Lanes { get; } = layout == ValueLayout.Blocked ? Block : 1;

    /// <summary>Planes of an image: blocks of channels, or channels.</summary>
    public int Planes { get; } = layout == ValueLayout.Blocked ? (channels + Block - 1) / Block : channels;

    public int RowStride { get; private set; } = width * (layout == ValueLayout.Blocked ? Block : 1);

    public int PlaneStride { get; private set; } = height * width * (layout == ValueLayout.Blocked ? Block : 1);

    public int ImageStride => Planes * PlaneStride;

    /// <summary>Values from a plane's beginning to its first pixel.</summary>
    public int Origin { get; private set; }

    /// <summary>Whether the pixels of a plane lie one after the other without a border between rows.</summary>
    public bool IsFlat => Border == 0;

    /// <summary>Makes the border at least this wide.</summary>
    /// <exception cref="InvalidOperationException">The layout has no borders.</exception>
    public void NeedBorder(int border)
    {
        if (Layout == ValueLayout.Flat && border > 0)
            throw new InvalidOperationException($"'{Name}' is flat and cannot have a border.");
        Border = Math.Max(Border, border);
        RowStride = (Width + 2 * Border) * Lanes;
        PlaneStride = (Height + 2 * Border) * RowStride;
        Origin = Border * (RowStride + Lanes);
    }
}
