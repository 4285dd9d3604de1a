using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Models that are too large for one file; the limit is lowered, as 2 GB are much for a test.</summary>
public sealed class ExternalTensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("external").FullName;

    [Fact]
    public void Tensors_lie_beside_the_model()
    {
        ModelGraph graph = TwinNetwork.File(16).Read();
        string path = Path.Combine(_folder, "model.onnx"), whole = Path.Combine(_folder, "whole.onnx");
        OnnxWriter.Write(graph, path, new() { MaxFileBytes = 4096 });
        OnnxWriter.Write(graph, whole);
        Assert.Equal(["model.onnx", "model.onnx.data", "whole.onnx"], Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)!).Order());
        Assert.InRange(new FileInfo(path).Length, 1, 4096);
        ModelGraph read = OnnxReader.Read(path);
        foreach ((string name, Initializer weight) in OnnxReader.Read(whole).Initializers)
            Assert.Equal(weight.ToDense().ToArray(), read.Initializers[name].ToDense().ToArray());
        using var runtime = new Microsoft.ML.OnnxRuntime.InferenceSession(path);
        Assert.Equal(["y"], runtime.OutputNames);
    }

    [Fact]
    public void A_stream_alone_holds_no_more_than_one_file()
    {
        using var stream = new MemoryStream();
        var e = Assert.Throws<InvalidModelException>(() => OnnxWriter.Write(TwinNetwork.File(16).Read(), stream, new() { MaxFileBytes = 4096 }));
        Assert.Contains("DataFile", e.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
