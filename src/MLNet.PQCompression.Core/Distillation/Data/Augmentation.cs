namespace MLNet.PQCompression.Distillation.Data;

/// <summary>Random changes to a preprocessed image that leave what it shows recognisable. The size stays.</summary>
public sealed record Augmentation
{
    /// <summary>No change.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>For photographs: a crop of random size and aspect, and a flip.</summary>
    public static Augmentation Photograph { get; } = new() { ResizedCropArea = 0.25f, Flip = true };

    /// <summary>Pixels of zeros (the mean colour) around the image before a crop of its own size is taken from it at random; 0 for no crop.</summary>
    public int CropPadding { get; init; }

    /// <summary>Whether half the images are mirrored.</summary>
    public bool Flip { get; init; }

    /// <summary>The least share of the area that a random crop takes before it is resized, bilinearly, to the image's size; 0 for none. Its aspect is between 3:4 and 4:3.</summary>
    public float ResizedCropArea { get; init; }

    /// <summary>
    /// The share of images that are blended with another image of the set, the weights of the two being uniformly distributed (mixup, Zhang et al. 2018). A blend has no label, but a teacher
    /// has an opinion of it.
    /// </summary>
    public float MixedShare { get; init; }

    /// <summary>The augmentation that suits images of a size: crops of random size from 64 pixels up; below, a crop after padding by a sixteenth of the size, and a flip.</summary>
    public static Augmentation For(int height, int width) =>
        IsPhotograph(height, width) ? Photograph : new() { CropPadding = Math.Max(1, Math.Min(height, width) / 16), Flip = true };

    /// <summary>Whether images of a size are taken to be photographs, in which things are seen from all distances.</summary>
    internal static bool IsPhotograph(int height, int width) => Math.Min(height, width) >= 64;

    /// <summary>Changes an image.</summary>
    /// <param name="image">C·H·W values, plane after plane.</param>
    /// <param name="channels">C.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="random">Where the chances come from.</param>
    /// <param name="result">Receives C·H·W values; it must not overlap the image.</param>
    public void Apply(ReadOnlySpan<float> image, int channels, int height, int width, Random random, Span<float> result)
    {
        ArgumentNullException.ThrowIfNull(random);
        int plane = height * width;
        if (ResizedCropArea > 0)
        {
            (float y, float x, float h, float w) = DrawCrop(height, width, random);
            for (int c = 0; c < channels; c++)
                Resample(image.Slice(c * plane, plane), height, width, y, x, h, w, result.Slice(c * plane, plane));
        }
        else if (CropPadding > 0)
        {
            int dy = random.Next(-CropPadding, CropPadding + 1), dx = random.Next(-CropPadding, CropPadding + 1);
            for (int c = 0; c < channels; c++)
                Shift(image.Slice(c * plane, plane), height, width, dy, dx, result.Slice(c * plane, plane));
        }
        else
            image[..(channels * plane)].CopyTo(result);
        if (Flip && random.Next(2) == 1)
            for (int row = 0; row < channels * height; row++)
                result.Slice(row * width, width).Reverse();
    }

    private (float Y, float X, float Height, float Width) DrawCrop(int height, int width, Random random)
    {
        for (int attempt = 0; attempt < 10; attempt++)
        {
            double area = (ResizedCropArea + random.NextDouble() * (1 - ResizedCropArea)) * height * width;
            double aspect = Math.Exp((random.NextDouble() * 2 - 1) * Math.Log(4 / 3.0));
            double w = Math.Sqrt(area * aspect), h = Math.Sqrt(area / aspect);
            if (w <= width && h <= height)
                return ((float)(random.NextDouble() * (height - h)), (float)(random.NextDouble() * (width - w)), (float)h, (float)w);
        }
        return (0, 0, height, width);
    }

    private static void Resample(ReadOnlySpan<float> plane, int height, int width, float top, float left, float cropHeight, float cropWidth, Span<float> result)
    {
        for (int y = 0; y < height; y++)
        {
            (int y0, int y1, float fy) = Neighbours(top + (y + 0.5f) * cropHeight / height - 0.5f, height);
            for (int x = 0; x < width; x++)
            {
                (int x0, int x1, float fx) = Neighbours(left + (x + 0.5f) * cropWidth / width - 0.5f, width);
                float above = plane[y0 * width + x0] * (1 - fx) + plane[y0 * width + x1] * fx;
                float below = plane[y1 * width + x0] * (1 - fx) + plane[y1 * width + x1] * fx;
                result[y * width + x] = above * (1 - fy) + below * fy;
            }
        }
    }

    private static (int First, int Second, float Fraction) Neighbours(float position, int size)
    {
        position = Math.Clamp(position, 0, size - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, size - 1), position - first);
    }

    private static void Shift(ReadOnlySpan<float> plane, int height, int width, int dy, int dx, Span<float> result)
    {
        result.Clear();
        int from = Math.Max(0, dx), count = width - Math.Abs(dx);
        if (count <= 0)
            return;
        for (int y = 0; y < height; y++)
            if ((uint)(y + dy) < (uint)height)
                plane.Slice((y + dy) * width + from, count).CopyTo(result[(y * width + Math.Max(0, -dx))..]);
    }
}
