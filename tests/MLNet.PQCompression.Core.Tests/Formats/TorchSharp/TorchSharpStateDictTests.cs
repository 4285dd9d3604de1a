using System.Text;
using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.TorchSharp;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.TorchSharp;

/// <summary>Files as TorchSharp's module.save writes them. That it does is tested with TorchSharp itself, in its project.</summary>
public sealed class TorchSharpStateDictTests
{
    [Fact]
    public void Tensors_of_every_kind()
    {
        byte[] file = File(
            ("conv.weight", 6, [1, 2, 1, 1], [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]), ("half", 5, [1], [0, 0x3C]), ("double", 7, [], [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]), ("brain", 15, [1], [0x80, 0x3F]),
            ("bn.num_batches_tracked", 4, [], [200, 0, 0, 0, 0, 0, 0, 0]), ("flags", 11, [2], [1, 0]));
        Assert.True(TorchSharpStateDict.Detect(file));
        StateDict state = TorchSharpStateDict.Read(file, "sample.dat");
        Assert.Equal(["conv.weight", "half", "double", "brain", "bn.num_batches_tracked", "flags"], state.Keys);
        Assert.Equal([1f, -2f], ((WeightTensor)state["conv.weight"]).Value.ToDense().ToArray());
        Assert.Equal(new TensorShape(1, 2, 1, 1), state["conv.weight"].Shape);
        foreach (string name in new[] { "half", "double", "brain" })
            Assert.Equal(1f, ((WeightTensor)state[name]).Value.ToDense().Span[0]);
        Assert.Equal([200L], ((IntegerTensor)state["bn.num_batches_tracked"]).Values.ToArray());
    }

    [Fact]
    public void A_network_is_recognised_by_its_tensors()
    {
        ModelGraph graph = Architecture.Find("resnet20").Untrained(10);
        byte[] file = File([.. StateDict.FromGraph(graph).Select(t => (t.Key, (byte)6, t.Value.Shape.Dimensions.ToArray(), new byte[t.Value.Shape.Count * 4]))]);
        string path = Path.GetTempFileName();
        try
        {
            System.IO.File.WriteAllBytes(path, file);
            Assert.Equal("resnet20", ModelFile.Load(path).Name);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    [Fact]
    public void What_is_malformed_is_refused_by_name()
    {
        Refused(File(("a", 9, [1], new byte[8])), "element type 9");
        Refused(File(("a", 6, [2], new byte[4])), "'a'");
        Refused(File(("a", 6, [-1, -1], [])), "out of range");
        Refused(File(("a", 6, Enumerable.Repeat(1, 17).ToArray(), new byte[4])), "17 dimensions");
        Refused(File(("a", 6, [int.MaxValue, int.MaxValue], [])), "out of range");
        Refused([.. File(("a", 6, [1], new byte[4])), 0], "follow the last");
        Refused(File(("a", 6, [1], new byte[4]), ("a", 6, [1], new byte[4])), "twice");
        Refused([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "63 bits");
        Refused([0xFF, 0xFF, 0xFF, 0x7F], "tensors");
        Refused([1, 0xFF, 0xFF, 0x7F], "name");
    }

    [Fact]
    public void Damaged_files_are_refused_or_read()
    {
        byte[] file = File(("conv.weight", 6, [4, 3], new byte[48]), ("conv.bias", 6, [4], new byte[16]), ("n", 4, [], new byte[8]));
        BadInput.Truncate(file, f => TorchSharpStateDict.Read(f, "damaged"));
        BadInput.Corrupt(file, f => TorchSharpStateDict.Read(f, "damaged"), 3000, 40);
    }

    [Fact]
    public void Other_formats_are_not_taken_for_it()
    {
        Assert.False(TorchSharpStateDict.Detect(ReadOnlyMemory<byte>.Empty));
        Assert.False(TorchSharpStateDict.Detect(new byte[] { 8, 7, 18, 7, (byte)'p', (byte)'y', (byte)'t', (byte)'o', (byte)'r', (byte)'c', (byte)'h' })); // ONNX
        Assert.False(TorchSharpStateDict.Detect("PK\u0003\u0004archive"u8.ToArray()));
        Assert.False(TorchSharpStateDict.Detect("plain text, which is no model at all"u8.ToArray()));
    }

    private static void Refused(byte[] file, string complaint)
    {
        var e = Assert.Throws<InvalidModelException>(() => TorchSharpStateDict.Read(file, "hostile.dat"));
        Assert.Contains("hostile.dat", e.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, e.Message, StringComparison.Ordinal);
    }

    private static byte[] File(params (string Name, byte Type, int[] Shape, byte[] Data)[] tensors)
    {
        var file = new MemoryStream();
        void Number(long value)
        {
            for (ulong rest = (ulong)value; ; rest >>= 7)
            {
                file.WriteByte((byte)(rest < 0x80 ? rest : rest & 0x7F | 0x80));
                if (rest < 0x80)
                    return;
            }
        }

        Number(tensors.Length);
        foreach ((string name, byte type, int[] shape, byte[] data) in tensors)
        {
            byte[] text = Encoding.UTF8.GetBytes(name);
            Number(text.Length);
            file.Write(text);
            Number(type);
            Number(shape.Length);
            foreach (int d in shape)
                Number(d < 0 ? long.MaxValue : d);
            file.Write(data);
        }
        return file.ToArray();
    }
}
