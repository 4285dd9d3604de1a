using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>Reads a mean image: of an ONNX graph that subtracts it (its only constant of the input's size), or of a picture.</summary>
public static class MeanImageFile
{
    /// <summary>Reads a mean image for a model's input.</summary>
    /// <param name="path">An .onnx file whose first nodes subtract a tensor of the input's size, planes in the model's order; or a picture, whose channels are put in the model's order.</param>
    /// <param name="preprocessing">The model's preprocessing: its size, order and range.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It holds no mean image of the model's size.</exception>
    public static MeanImage Load(string path, ImagePreprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file '{path}' to read a mean image from.", path);
        try
        {
            return Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase) ? FromGraph(path, preprocessing) : FromPicture(path, preprocessing);
        }
        catch (Exception e) when (e is InvalidModelException or InvalidImageException or ArgumentException)
        {
            throw new InvalidDataException($"'{path}' holds no mean image: {e.Message}", e);
        }
    }

    private static MeanImage FromGraph(string path, ImagePreprocessing p)
    {
        GraphPreprocessing? nodes = GraphPreprocessing.Of(ModelFile.Load(path));
        return nodes is not null && nodes.Shift.Length == p.Length && nodes.Channels == p.Channels
            ? new(p.Channels, p.Height, p.Width, [.. nodes.Shift.Select((s, i) => (float)(-s / nodes.Scale[i * p.Channels / nodes.Shift.Length]))], nodes.Range ?? p.Range)
            : throw new InvalidDataException($"'{path}' subtracts no tensor of {p.Channels}×{p.Height}×{p.Width} from its input.");
    }

    private static MeanImage FromPicture(string path, ImagePreprocessing p)
    {
        RgbImage image = ImageDecoder.Decode(File.ReadAllBytes(path));
        if ((image.Width, image.Height) != (p.Width, p.Height))
            throw new InvalidDataException($"The mean image '{path}' is {image.Width}×{image.Height}; the model takes {p.Width}×{p.Height}.");
        ImagePreprocessing plain = p with { Range = 255, Mean = [.. p.Mean.Select(_ => 0f)], Std = [.. p.Std.Select(_ => 1f)], MeanImage = null };
        var values = new float[p.Length];
        new PixelNormalizer(plain).Normalize(image.Pixels, values);
        return new(p.Channels, p.Height, p.Width, values);
    }
}
