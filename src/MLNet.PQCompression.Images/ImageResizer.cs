using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Images;

/// <summary>Antialiased bilinear resizing and cropping. Pixels equal those of PIL's <c>resize</c> with BILINEAR: columns first, rounded to bytes, then rows.</summary>
public static class ImageResizer
{
    private const int Half = 1 << (ResizeKernel.FractionBits - 1);

    /// <summary>Resizes an image to exactly <paramref name="width"/>×<paramref name="height"/>; the same image where it has that size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (width != image.Width)
            image = ResizeRows(image, new ResizeKernel(image.Width, width), width);
        if (height != image.Height)
            image = ResizeColumns(image, new ResizeKernel(image.Height, height), height);
        return image;
    }

    /// <summary>Resizes an image so that its shorter side has <paramref name="size"/> pixels; the longer one is scaled along and rounded down, as torchvision does.</summary>
    /// <exception cref="InvalidImageException">The image is so long that the result would have more than 100 megapixels.</exception>
    public static RgbImage ResizeShortSide(RgbImage image, int size)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        (long width, long height) = ShortSideSize(image.Width, image.Height, size);
        if (width * height > ImageDecoderOptions.Default.MaxPixels)
            throw new InvalidImageException(ImageFault.TooLarge, $"An image of {image.Width}×{image.Height} is too long: with a shorter side of {size} it would have {width * height} pixels.");
        return Resize(image, (int)width, (int)height);
    }

    /// <summary>The size of a picture whose shorter side is resized to <paramref name="size"/> pixels.</summary>
    internal static (long Width, long Height) ShortSideSize(int width, int height, int size) =>
        width <= height ? (size, (long)size * height / width) : ((long)size * width / height, size);

    /// <summary>The size of a picture that is resized so that all of it fits.</summary>
    internal static (int Width, int Height) FittedSize(int pictureWidth, int pictureHeight, int width, int height)
    {
        double scale = Math.Min((double)width / pictureWidth, (double)height / pictureHeight);
        return (Math.Clamp((int)Math.Round(pictureWidth * scale), 1, width), Math.Clamp((int)Math.Round(pictureHeight * scale), 1, height));
    }

    /// <summary>Resizes an image so that all of it fits, and puts it in the middle of a canvas of one grey, or in its upper left corner.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static RgbImage Letterbox(RgbImage image, int width, int height, byte grey, bool centred = true)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        (int fittedWidth, int fittedHeight) = FittedSize(image.Width, image.Height, width, height);
        RgbImage fitted = Resize(image, fittedWidth, fittedHeight);
        var pixels = new byte[checked(width * height * 3)];
        Array.Fill(pixels, grey);
        (int left, int top) = centred ? ((width - fitted.Width) / 2, (height - fitted.Height) / 2) : (0, 0);
        for (int y = 0; y < fitted.Height; y++)
            fitted.Pixels.AsSpan(y * fitted.Width * 3, fitted.Width * 3).CopyTo(pixels.AsSpan(((y + top) * width + left) * 3));
        return new(width, height, pixels);
    }

    /// <summary>Cuts the centre out; halves are rounded to even, and an image that is smaller is padded with black, as torchvision does.</summary>
    public static RgbImage CenterCrop(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width == width && image.Height == height)
            return image;
        var pixels = new byte[checked(width * height * 3)];
        int left = Offset(image.Width, width), top = Offset(image.Height, height);
        int firstColumn = Math.Max(0, -left), columns = Math.Min(width, image.Width - left) - firstColumn;
        for (int y = Math.Max(0, -top); y < Math.Min(height, image.Height - top); y++)
            image.Pixels.AsSpan(((y + top) * image.Width + left + firstColumn) * 3, columns * 3).CopyTo(pixels.AsSpan((y * width + firstColumn) * 3));
        return new(width, height, pixels);
    }

    /// <summary>Where the crop begins; negative where it is padded on that side.</summary>
    internal static int Offset(int size, int crop) =>
        crop > size ? -((crop - size) / 2) : (int)Math.Round((size - crop) / 2.0, MidpointRounding.ToEven);

    private static RgbImage ResizeRows(RgbImage image, ResizeKernel kernel, int width)
    {
        var pixels = new byte[checked(width * image.Height * 3)];
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> row = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            Span<byte> target = pixels.AsSpan(y * width * 3, width * 3);
            for (int x = 0; x < width; x++)
            {
                ReadOnlySpan<int> weights = kernel.Weights(x, out int first);
                ReadOnlySpan<byte> source = row.Slice(first * 3, weights.Length * 3);
                int r = Half, g = Half, b = Half;
                for (int i = 0, at = 0; i < weights.Length; i++, at += 3)
                {
                    int weight = weights[i];
                    r += source[at] * weight;
                    g += source[at + 1] * weight;
                    b += source[at + 2] * weight;
                }
                target[3 * x] = Clamp(r);
                target[3 * x + 1] = Clamp(g);
                target[3 * x + 2] = Clamp(b);
            }
        }
        return new(width, image.Height, pixels);
    }

    private static RgbImage ResizeColumns(RgbImage image, ResizeKernel kernel, int height)
    {
        int rowBytes = image.Width * 3;
        var pixels = new byte[checked(rowBytes * height)];
        var sums = new int[rowBytes];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<int> weights = kernel.Weights(y, out int first);
            Array.Fill(sums, Half);
            for (int i = 0; i < weights.Length; i++)
                Accumulate(image.Pixels.AsSpan((first + i) * rowBytes, rowBytes), weights[i], sums);
            Span<byte> target = pixels.AsSpan(y * rowBytes, rowBytes);
            for (int x = 0; x < sums.Length; x++)
                target[x] = Clamp(sums[x]);
        }
        return new(image.Width, height, pixels);
    }

    /// <summary>sums[i] += row[i]·weight.</summary>
    private static void Accumulate(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        int x = 0;
        ref byte source = ref MemoryMarshal.GetReference(row);
        ref int target = ref MemoryMarshal.GetReference(sums);
        for (; x <= row.Length - Vector128<byte>.Count; x += Vector128<byte>.Count)
        {
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.LoadUnsafe(ref source, (nuint)x));
            Add(low, ref target, x);
            Add(high, ref target, x + 8);
        }
        for (; x < row.Length; x++)
            sums[x] += row[x] * weight;

        void Add(Vector128<ushort> values, ref int target, int at)
        {
            (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(values);
            (Vector128.LoadUnsafe(ref target, (nuint)at) + low.AsInt32() * weight).StoreUnsafe(ref target, (nuint)at);
            (Vector128.LoadUnsafe(ref target, (nuint)at + 4) + high.AsInt32() * weight).StoreUnsafe(ref target, (nuint)at + 4);
        }
    }

    private static byte Clamp(int sum) => (byte)Math.Clamp(sum >> ResizeKernel.FractionBits, 0, 255);
}
