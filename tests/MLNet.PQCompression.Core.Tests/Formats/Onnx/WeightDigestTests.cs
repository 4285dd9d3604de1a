using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

public class WeightDigestTests
{
    private static readonly float[] Codebook = [.. Enumerable.Range(0, 300 * 9).Select(i => (float)(Half)(i % 97 / 50f - 1))];

    [Theory]
    [InlineData(200)]
    [InlineData(300)]
    public void A_changed_code_or_codeword_is_an_error_that_names_the_weight(int codewords)
    {
        byte[] file = Write(Model(codewords, 0));
        foreach ((string name, Initializer weight) in OnnxReader.Read(file, "sound.onnx").Initializers)
        {
            if (weight is not QuantizedTensor quantized)
                continue;
            int codes = IndexOf(file, [.. Enumerable.Range(0, 16).Select(i => (byte)quantized.Codes[i])]);
            int codeword = IndexOf(file, [.. Enumerable.Range(40, 8).SelectMany(i => BitConverter.GetBytes((Half)quantized.Codebook[i]))]);
            foreach (int at in (int[])[codes + 5, codeword + 2])
            {
                byte[] damaged = [.. file];
                damaged[at] ^= 1;
                string message = Assert.Throws<InvalidModelException>(() => OnnxReader.Read(damaged, "damaged.onnx")).Message;
                Assert.Contains("damaged.onnx", message);
                Assert.Contains($"'{name}'", message);
                Assert.NotEmpty(OnnxReader.Read(damaged, "damaged.onnx", verify: false).Nodes);
            }
        }
    }

    [Fact]
    public void A_model_with_other_codes_is_written_with_another_digest()
    {
        ModelGraph read = OnnxReader.Read(Write(Model(200, 0)), "first.onnx");
        Assert.DoesNotContain(WeightDigest.MetadataKey, read.Metadata.Keys);
        ModelGraph changed = read.WithInitializers([new("a.weight", Weight(200, 5))]);
        Assert.Equal(Weight(200, 5).Codes.ToArray(), ((QuantizedTensor)OnnxReader.Read(Write(changed), "second.onnx").Initializers["a.weight"]).Codes.ToArray());
    }

    [Fact]
    public void A_file_without_a_digest_is_read_and_one_that_lost_a_weight_is_not()
    {
        ModelProto model = Parse(Write(Model(200, 0)));
        StringStringEntryProto entry = Assert.Single(model.MetadataProps);
        model.MetadataProps.Clear();
        Assert.Equal(2, Read(model).Initializers.Values.OfType<QuantizedTensor>().Count());
        model.MetadataProps.Add(entry);
        Assert.Equal(2, Read(model).Initializers.Values.OfType<QuantizedTensor>().Count());
        foreach (string broken in (string[])["", "AAAA", "no Base64", entry.Value[..^4], entry.Value + "AAAA"])
        {
            entry.Value = broken;
            Assert.Throws<InvalidModelException>(() => Read(model));
        }
    }

    [Fact]
    public void A_digest_costs_its_own_bytes_and_dense_files_have_none()
    {
        ModelGraph model = Model(200, 0);
        ModelProto proto = Parse(Write(model));
        long with = proto.CalculateSize();
        proto.MetadataProps.Clear();
        Assert.InRange(with - proto.CalculateSize(), 44, 44 + 2 * 4 + 20);
        var dense = new MemoryStream();
        OnnxWriter.Write(model, dense, new() { Dense = true });
        Assert.Empty(Parse(dense.ToArray()).MetadataProps);
    }

    private static ModelGraph Model(int codewords, int shift) => new(
        "two", new("x", new(-1, 4, 8, 8)), [new("y", new(-1, 16, 8, 8))],
        [new("a", new Conv(Window.Square(3, 1, 1)), ["x", "a.weight"], "h"), new("b", new Conv(Window.Square(3, 1, 1)), ["h", "b.weight"], "y")],
        new Dictionary<string, Initializer> { ["a.weight"] = Weight(codewords, shift), ["b.weight"] = Weight(codewords, shift + 1, 16) });

    private static QuantizedTensor Weight(int codewords, int shift, int channels = 4) => new(
        new(16, channels, 3, 3), 9, [.. Codebook.Take(codewords * 9).Select(v => (float)(Half)(v + shift / 8f))],
        [.. Enumerable.Range(0, 16 * channels).Select(i => (ushort)((i * (7 + shift) + shift) % codewords))]);

    private static byte[] Write(ModelGraph model)
    {
        var stream = new MemoryStream();
        OnnxWriter.Write(model, stream);
        return stream.ToArray();
    }

    private static int IndexOf(byte[] file, byte[] part) => file.AsSpan().IndexOf(part) is >= 0 and var at ? at : throw new InvalidOperationException("not found");

    private static ModelProto Parse(byte[] file) => ModelProto.Parser.ParseFrom(file);

    private static ModelGraph Read(ModelProto model) => OnnxReader.Read(Google.Protobuf.MessageExtensions.ToByteArray(model), "test.onnx");
}
