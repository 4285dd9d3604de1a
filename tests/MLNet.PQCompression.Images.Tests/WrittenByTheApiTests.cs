using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>A model that a program compresses and writes knows its preprocessing and its classes, as one of the tool does.</summary>
public sealed class WrittenByTheApiTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Preprocessing_and_class_names_are_in_the_file()
    {
        var random = new Random(4);
        for (int i = 0; i < 12; i++)
            _folder.Write($"{i}.ppm", [.. "P6 8 8 255\n"u8, .. Enumerable.Range(0, 192).Select(_ => (byte)random.Next(256))]);
        float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        Dictionary<string, Initializer> weights = new() { ["w1"] = new DenseTensor(new(16, 3, 3, 3), Weights(432)), ["w2"] = new DenseTensor(new(32, 16, 3, 3), Weights(4608)) };
        var teacher = new ModelGraph(
            "net", new("image", new(-1, 3, 8, 8)), [new("features", new(-1, 32, 4, 4))],
            [new("c1", new Conv(Window.Square(3)), ["image", "w1"], "a"), new("c2", new Conv(Window.Square(3)), ["a", "w2"], "features")], weights,
            new Dictionary<string, string>([ClassNames.ToMetadata(["ant", "bee"])]));
        ImagePreprocessing preprocessing = ImagePreprocessing.Default(teacher.Input.Shape) with { Order = ChannelOrder.Bgr, Range = 255, Mean = [120, 110, 100], Std = [1, 1, 1] };
        using var source = ImageSource.Open(_folder.Path);

        CompressionResult result = ModelCompressor.Compress(teacher, new ImageSampleSource(source, preprocessing), new() { Method = CompressionMethod.Plain, Threads = 1 });
        string path = Path.Combine(_folder.Path, "student.onnx");
        OnnxWriter.Write(result.Student, path);

        ModelGraph read = OnnxReader.Read(File.ReadAllBytes(path), path);
        Assert.Equal(preprocessing, ImagePreprocessing.FromMetadata(read.Metadata));
        Assert.Equal<string>(["ant", "bee"], ClassNames.FromMetadata(read.Metadata)!.Value);
    }
}
