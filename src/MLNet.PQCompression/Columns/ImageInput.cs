using Microsoft.ML.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Columns;

/// <summary>How the value of an image column, whatever its type, becomes a model's input: C×H×W float32.</summary>
/// <param name="Preprocessing">The model's resizing, cropping and normalisation.</param>
/// <param name="Pixels">What a vector of numbers holds.</param>
/// <param name="ImageFolder">The folder that paths are relative to, or null.</param>
/// <param name="Size">The size of an image column's images, where its type tells it.</param>
internal sealed record ImageInput(ImagePreprocessing Preprocessing, PixelVectorFormat Pixels, string? ImageFolder, ImageSize? Size = null)
{
    private const string DropRows = "Give each row an image, or drop such rows before with FilterByCustomPredicate.";

    /// <summary>C·H·W.</summary>
    public int Length => Preprocessing.Length;

    /// <summary>From an image of ML.NET. LoadImages leaves a photograph as the camera stored it, and notes its file; the orientation is read there.</summary>
    public PicturePlacement Convert(in MLImage? image, Span<float> destination)
    {
        if (image is null)
            throw new InvalidDataException($"The image is missing. {DropRows}");
        ReadOnlySpan<byte> source = image.Pixels;
        (int red, int blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        var pixels = new byte[checked(image.Width * image.Height * 3)];
        for (int from = 0, to = 0; to < pixels.Length; from += 4, to += 3)
        {
            pixels[to] = source[from + red];
            pixels[to + 1] = source[from + 1];
            pixels[to + 2] = source[from + blue];
        }
        return Apply(ImageDecoder.Upright(new RgbImage(image.Width, image.Height, pixels), Size is null ? image.Tag : null), destination);
    }

    /// <summary>From the pixels of an image of known size: red, green, blue of each, row by row.</summary>
    public PicturePlacement ConvertFrame(in VBuffer<byte> pixels, Span<float> destination)
    {
        if (Size is not { } size || pixels.Length != size.Height * size.Width * 3)
            throw new InvalidDataException($"There are {pixels.Length} bytes of pixels; an image of {Size?.Width}×{Size?.Height} has {Size?.Height * Size?.Width * 3}.");
        return Apply(new RgbImage(size.Width, size.Height, [.. pixels.DenseValues()]), destination);
    }

    /// <summary>From a vector of numbers. What it was made of is not known, so it is taken for the picture itself.</summary>
    public PicturePlacement Convert(in VBuffer<float> vector, Span<float> destination)
    {
        if (vector.Length != Length)
            throw new InvalidDataException($"The vector has {vector.Length} values, but the model takes {Preprocessing.Channels}×{Preprocessing.Height}×{Preprocessing.Width}. "
                + "Resize with ResizeImages and extract the model's channels, without alpha, with ExtractPixels.");
        Pixels.Apply(vector.IsDense ? vector.GetValues() : vector.DenseValues().ToArray(), Preprocessing, destination);
        return PicturePlacement.Same(Preprocessing.Width, Preprocessing.Height);
    }

    /// <summary>From an encoded image.</summary>
    public PicturePlacement Convert(in VBuffer<byte> encoded, Span<float> destination)
    {
        if (encoded.Length == 0)
            throw new InvalidDataException($"The image is missing. {DropRows}");
        return Apply(ImageDecoder.Decode(encoded.IsDense ? encoded.GetValues() : encoded.DenseValues().ToArray()), destination);
    }

    /// <summary>From a path.</summary>
    public PicturePlacement Convert(in ReadOnlyMemory<char> path, Span<float> destination)
    {
        if (path.Span.IsWhiteSpace())
            throw new InvalidDataException($"The path is missing. {DropRows}");
        string file = ImageFolder is null ? path.ToString() : Path.Combine(ImageFolder, path.ToString());
        try
        {
            return Apply(ImageDecoder.Decode(File.ReadAllBytes(file)), destination);
        }
        catch (InvalidImageException e)
        {
            throw new InvalidDataException($"'{file}' cannot be decoded: {e.Message}", e);
        }
    }

    private PicturePlacement Apply(RgbImage image, Span<float> destination)
    {
        Preprocessing.Apply(image, destination);
        return Preprocessing.Place(image.Width, image.Height);
    }
}

/// <summary>The size of an image in pixels.</summary>
internal sealed record ImageSize(int Height, int Width);
