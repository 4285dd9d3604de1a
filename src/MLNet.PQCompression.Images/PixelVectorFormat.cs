namespace MLNet.PQCompression.Images;

/// <summary>How the pixels of an image follow each other in a vector.</summary>
public enum PixelLayout
{
    /// <summary>Plane after plane, C×H×W.</summary>
    Planar,

    /// <summary>Pixel after pixel, H×W×C.</summary>
    Interleaved,
}

/// <summary>What a vector of numbers that stands for an image of the model's size holds.</summary>
/// <param name="Layout">How the pixels follow each other.</param>
/// <param name="Order">The order of the channels of a pixel; ignored for models of one plane.</param>
/// <param name="Normalized">False where the values are the pixels' bytes (0 to 255), true where they are already what the model expects.</param>
public readonly record struct PixelVectorFormat(PixelLayout Layout = PixelLayout.Planar, ChannelOrder Order = ChannelOrder.Rgb, bool Normalized = false)
{
    /// <summary>Turns a vector into a model's input: reorders it to C×H×W in the model's channel order and normalises it, (x/255·range − mean)/std less the mean image, where that is still to do.</summary>
    /// <param name="values">C·H·W values.</param>
    /// <param name="preprocessing">The model's; its resizing does not apply, as a vector has the model's size.</param>
    /// <param name="destination">C×H×W values; at least <see cref="ImagePreprocessing.Length"/>.</param>
    /// <exception cref="ArgumentException">The vector is not of the model's length, or the destination is too short.</exception>
    public void Apply(ReadOnlySpan<float> values, ImagePreprocessing preprocessing, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        int channels = preprocessing.Channels, area = preprocessing.Width * preprocessing.Height;
        if (values.Length != preprocessing.Length)
            throw new ArgumentException($"The vector has {values.Length} values; the model takes {channels}×{preprocessing.Height}×{preprocessing.Width} = {preprocessing.Length}.", nameof(values));
        if (destination.Length < preprocessing.Length)
            throw new ArgumentException($"The destination has room for {destination.Length} values; {preprocessing.Length} are needed.", nameof(destination));
        bool swap = channels >= 3 && IsBgr(Order) != IsBgr(preprocessing.Order);
        for (int c = 0; c < channels; c++)
        {
            int source = swap && c < 3 ? 2 - c : c;
            int start = Layout == PixelLayout.Planar ? source * area : source, step = Layout == PixelLayout.Planar ? 1 : channels;
            Span<float> plane = destination.Slice(c * area, area);
            if (step == 1)
                values.Slice(start, area).CopyTo(plane);
            else
                for (int i = 0; i < area; i++)
                    plane[i] = values[start + i * step];
            if (Normalized)
                continue;
            for (int i = 0; i < area; i++)
                plane[i] = preprocessing.Normalized(plane[i], c);
            preprocessing.MeanImage?.SubtractFrom(plane, c, preprocessing.Range / preprocessing.StdOf(c));
        }
    }

    private static bool IsBgr(ChannelOrder order) => order is ChannelOrder.Bgr or ChannelOrder.Bgra;
}
