using MLNet.PQCompression.Graph;

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
/// <remarks>
/// A matrix N×C is a value of 1×1 pixels; a value of any other rank is flat. Kernels compute addresses from what stands here and from windows that
/// <see cref="Graph.ShapeInference"/> let pass, in 32 bits where that is faster: therefore no value is made, and no border added, that takes more elements than an
/// array holds.
/// </remarks>
internal sealed class PlanValue
{
    public const int Block = 16;

    /// <summary>Describes a value of sizes that are not 0.</summary>
    /// <exception cref="InvalidModelException">A size is 0, or the value takes more elements than an array holds.</exception>
    public PlanValue(string name, ValueLayout layout, int channels, int height, int width)
    {
        (Name, Layout, Channels, Height, Width) = (name, layout, channels, height, width);
        Lanes = layout == ValueLayout.Blocked ? Block : 1;
        if (channels < 1 || height < 1 || width < 1)
            throw new InvalidModelException($"The value '{name}' would be empty: {channels}×{height}×{width}.");
        Planes = (int)(((long)channels + Lanes - 1) / Lanes);
        NeedBorder(0);
    }

    public string Name { get; }

    public ValueLayout Layout { get; }

    public int Channels { get; }

    public int Height { get; }

    public int Width { get; }

    /// <summary>The width of the border of zeros: the largest padding that a reader asks for.</summary>
    public int Border { get; private set; }

    /// <summary>Where the value begins, in values for one image; with a batch of N everything lies N times as far.</summary>
    public long Offset { get; set; }

    /// <summary>Values stored for a pixel of a plane.</summary>
    public int Lanes { get; }

    /// <summary>Planes of an image: blocks of channels, or channels.</summary>
    public int Planes { get; }

    public int RowStride { get; private set; }

    public int PlaneStride { get; private set; }

    public int ImageStride { get; private set; }

    /// <summary>Values from a plane's beginning to its first pixel.</summary>
    public int Origin { get; private set; }

    /// <summary>Whether the pixels of a plane lie one after the other without a border between rows.</summary>
    public bool IsFlat => Border == 0;

    /// <summary>Makes the border at least this wide.</summary>
    /// <exception cref="InvalidOperationException">The layout has no borders.</exception>
    /// <exception cref="InvalidModelException">With it the value takes more elements than an array holds.</exception>
    public void NeedBorder(int border)
    {
        if (Layout == ValueLayout.Flat && border > 0)
            throw new InvalidOperationException($"'{Name}' is flat and cannot have a border.");
        Border = Math.Max(Border, border);
        (long height, long width) = (Height + 2L * Border, Width + 2L * Border);
        if (!TensorSize.Fits(Planes, height, width, Lanes))
            throw new InvalidModelException(
                $"The value '{Name}' of {Channels}×{Height}×{Width} with a border of {Border} takes more than the {Array.MaxLength} elements that fit an array.");
        RowStride = (int)width * Lanes;
        PlaneStride = (int)height * RowStride;
        ImageStride = Planes * PlaneStride;
        Origin = Border * (RowStride + Lanes);
    }
}
