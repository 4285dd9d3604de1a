using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.Tests.Budget;

public sealed class SizeProbeTests
{
    /// <summary>Codebooks of a byte and of nine bits, k no power of two, dense layers, constants that are equal in the teacher.</summary>
    [Fact]
    public void A_file_is_as_large_as_was_worked_out()
    {
        ModelGraph teacher = TestNetworks.Residual(width: 32).WithInitializers([
            new("block.conv1.bn.bias", TestNetworks.Vector(32, _ => 0)), new("block.conv2.bn.bias", TestNetworks.Vector(32, _ => 0)), new("block.conv2.bn.weight", TestNetworks.Vector(32, _ => 1)), new("block.conv1.bn.weight", TestNetworks.Vector(32, _ => 1))]);
        foreach ((int d1, int k1, int d2, int k2, bool skip) in new[] { (9, 256, 18, 100, false), (3, 512, 9, 8, true), (3, 300, 3, 300, false), (9, 512, 9, 512, false), (36, 48, 3, 1024, false) })
        {
            var overrides = new List<LayerOverride> { new("block.conv1*", d1, k1), new("block.conv2*", d2, k2) };
            if (skip)
                overrides.Add(new("fc*", Skip: true));
            CompressionOptions options = new() { Overrides = [.. overrides], Method = CompressionMethod.Output };
            ModelGraph model = LayerForms.Normalize(teacher);
            CompressionPlan plan = CompressionPlan.Create(model, options);
            long expected = OnnxWriter.Size(ModelCompressor.Compress(teacher, new TestNetworks.Images(24), options).Student);
            Assert.Equal(expected, SizeProbe.Measure(model, plan.Layers.Select(l => (l, new LayerChoice(l.BlockSize, l.Codewords, 0, 0, 0, true)))));
        }
    }
}
