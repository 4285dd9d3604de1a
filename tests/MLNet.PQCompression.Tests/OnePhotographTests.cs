using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Images;
using SkiaSharp;

namespace MLNet.PQCompression.Tests;

/// <summary>One photograph gives the same scores as a path, as its bytes and through LoadImages, whatever its orientation, transparency and format.</summary>
public sealed class OnePhotographTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly string _model;

    public OnePhotographTests() => _model = TestNetwork.Graph().Save(_folder);

    public static TheoryData<string> Photographs => ["plain.jpg", "turned.jpg", "mirrored.jpg", "transparent.png", "half.png", "grey.png", "lossy.webp", "turned.webp"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Photographs))]
    public void Every_column_type_gives_the_same_scores(string name)
    {
        string path = _folder.File(name);
        File.WriteAllBytes(path, Photograph(name));
        float[] byPath = Scores(new PathRow { Image = path }), byBytes = Scores(new EncodedRow { Image = File.ReadAllBytes(path) });
        IDataView data = _context.Data.LoadFromEnumerable([new PathRow { Image = name }]);
        var pipeline = _context.Transforms.LoadImages("Loaded", _folder.Path, "Image").Append(_context.Transforms.ScoreCompressedModel("Score", "Loaded", _model));
        ITransformer fitted = pipeline.Fit(data);

        Assert.Equal(byPath, byBytes);
        Assert.Equal(byPath, fitted.Transform(data).GetColumn<float[]>("Score").Single());

        using var zip = new MemoryStream();
        _context.Model.Save(fitted, data.Schema, zip);
        zip.Position = 0;
        Assert.Equal(byPath, new MLContext(1).Model.Load(zip, out _).Transform(data).GetColumn<float[]>("Score").Single());
    }

    [Fact]
    public void An_orientation_and_transparency_are_seen()
    {
        byte[][] all = [Photograph("plain.jpg"), Photograph("turned.jpg"), Photograph("half.png"), Photograph("transparent.png")];
        Assert.Equal(all.Length, all.Select(p => Convert.ToHexString(ImageDecoder.Decode(p).Pixels)).Distinct().Count());
    }

    private float[] Scores<T>(T row) where T : class
    {
        IDataView data = _context.Data.LoadFromEnumerable([row]);
        return _context.Transforms.ScoreCompressedModel("Score", "Image", _model).Fit(data).Transform(data).GetColumn<float[]>("Score").Single();
    }

    /// <summary>13×9 pixels of two crossing colour ramps, so that every turn shows.</summary>
    private static byte[] Photograph(string name)
    {
        byte alpha = name switch { "transparent.png" => 0, "half.png" => 128, _ => 255 };
        using var bitmap = new SKBitmap(new SKImageInfo(13, 9, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int y = 0; y < 9; y++)
            for (int x = 0; x < 13; x++)
                bitmap.SetPixel(x, y, name == "grey.png" ? new((byte)(9 * x + 11 * y), (byte)(9 * x + 11 * y), (byte)(9 * x + 11 * y)) : new((byte)(19 * x), (byte)(28 * y), (byte)(10 * (x + y)), y < 5 ? alpha : (byte)255));
        using SKData encoded = bitmap.Encode(Path.GetExtension(name) switch { ".jpg" => SKEncodedImageFormat.Jpeg, ".webp" => SKEncodedImageFormat.Webp, _ => SKEncodedImageFormat.Png }, 90);
        byte[] bytes = encoded.ToArray();
        return name switch
        {
            "turned.jpg" => WithOrientation(bytes, 6),
            "mirrored.jpg" => WithOrientation(bytes, 5),
            "turned.webp" => WebPWithOrientation(bytes, 8),
            _ => bytes,
        };
    }

    private static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. Exif(orientation)];
        return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
    }

    private static byte[] WebPWithOrientation(byte[] webp, byte orientation)
    {
        byte[] exif = Exif(orientation), body = [.. "WEBPVP8X"u8, 10, 0, 0, 0, 8, 0, 0, 0, 12, 0, 0, 8, 0, 0, .. webp[12..], .. "EXIF"u8, (byte)exif.Length, 0, 0, 0, .. exif];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    private static byte[] Exif(byte orientation) => [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
}
