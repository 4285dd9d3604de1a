using System.Runtime.InteropServices;
using MLNet.PQCompression.Formats.PyTorch;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.PyTorch;

public class TorchStateDictTests
{
    private static readonly float[] Six = [1, 2, 3, 4, 5, 6];

    [Fact]
    public void Strided_and_shared_storages_are_gathered()
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(')
            .Text("a").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1])
            .Text("transposed").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3])
            .Text("tail").Tensor("FloatStorage", "0", 6, 4, [2], [1])
            .Text("every_second").Tensor("FloatStorage", "0", 6, 1, [3], [2])
            .Text("scalar").Tensor("FloatStorage", "0", 6, 5, [], [])
            .Text("expanded").Tensor("FloatStorage", "0", 6, 2, [2, 2], [0, 1])
            .Text("empty").Tensor("FloatStorage", "0", 6, 0, [0, 4], [4, 1])
            .Op('u').End();
        StateDict state = Read(pickle, Bytes(Six));
        Assert.Equal(["a", "transposed", "tail", "every_second", "scalar", "expanded", "empty"], state.Keys);
        Assert.Equal(Six, Values(state, "a"));
        Assert.Equal([1f, 4, 2, 5, 3, 6], Values(state, "transposed"));
        Assert.Equal(new TensorShape(3, 2), state["transposed"].Shape);
        Assert.Equal([5f, 6], Values(state, "tail"));
        Assert.Equal([2f, 4, 6], Values(state, "every_second"));
        Assert.Equal([6f], Values(state, "scalar"));
        Assert.Equal([3f, 4, 3, 4], Values(state, "expanded"));
        Assert.Empty(Values(state, "empty"));
    }

    [Theory]
    [InlineData("HalfStorage", new byte[] { 0x00, 0x3e, 0x00, 0xc0 }, new[] { 1.5f, -2f })]
    [InlineData("BFloat16Storage", new byte[] { 0xc0, 0x3f, 0x00, 0xc0 }, new[] { 1.5f, -2f })]
    [InlineData("DoubleStorage", new byte[] { 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0 }, new[] { 1.5f, -2f })]
    public void Real_types_become_float32(string type, byte[] data, float[] expected) =>
        Assert.Equal(expected, Values(Read(One(type, 2), data), "x"));

    [Theory]
    [InlineData("CharStorage", new byte[] { 0xff, 2 }, new[] { -1L, 2 })]
    [InlineData("ByteStorage", new byte[] { 0xff, 2 }, new[] { 255L, 2 })]
    [InlineData("BoolStorage", new byte[] { 1, 0 }, new[] { 1L, 0 })]
    [InlineData("ShortStorage", new byte[] { 0xff, 0xff, 2, 0 }, new[] { -1L, 2 })]
    [InlineData("IntStorage", new byte[] { 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0 }, new[] { -1L, 2 })]
    [InlineData("LongStorage", new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0, 0, 0 }, new[] { -1L, 2 })]
    public void Integer_types_keep_their_values(string type, byte[] data, long[] expected) =>
        Assert.Equal(expected, Assert.IsType<IntegerTensor>(Read(One(type, 2), data)["x"]).Values.ToArray());

    [Fact]
    public void A_nested_state_dict_and_the_prefix_of_parallel_training_are_removed()
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(')
            .Text("epoch").Number(7)
            .Text("model").Op('}').Op('(').Text("module.fc.weight").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]).Op('u')
            .Op('u').End();
        Assert.Equal(["fc.weight"], Read(pickle, Bytes(Six)).Keys);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v3")]
    [InlineData("__main__", "Net")]
    public void Calls_of_anything_else_are_refused_by_name(string module, string name)
    {
        byte[] call = new PickleWriter().Global(module, name).Op('(').Text("touch never").Op('t').Op('R').End();
        Assert.Contains($"{module}.{name}", Refusal(call));
        byte[] stackGlobal = new PickleWriter().Text(module).Text(name).Raw(0x93).Op('(').Text("x").Op('t').Op('R').End();
        Assert.Contains($"{module}.{name}", Refusal(stackGlobal));
    }

    [Fact]
    public void Objects_are_opaque_however_they_are_described()
    {
        foreach (byte[] root in (byte[][])[
            [.. "(iargparse\nNamespace\n"u8], // INST
            [.. "(cargparse\nNamespace\no"u8], // OBJ
            [.. "cargparse\nNamespace\n)"u8, 0x81], // NEWOBJ
            [.. "cargparse\nNamespace\n)}"u8, 0x92], // NEWOBJ_EX
            [0x82, 7], [0x8f], [.. "P7\n"u8], // EXT1, EMPTY_SET, PERSID
            [.. "cos\nsystem\n(X\u0005\0\0\0touchtR)R"u8]]) // A call of what a call made.
        {
            Assert.Contains("refused", Refusal(new PickleWriter().Raw(root).End()));
            byte[] beside = new PickleWriter().Op('}').Op('(').Text("args").Raw(root).Text("state_dict").Op('}')
                .Text("x").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Op('u').End();
            Assert.Equal(Six, Values(Read(beside, Bytes(Six)), "x"));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_checkpoint_is_read_in_every_protocol(int protocol)
    {
        StateDict state = Read(PickleProtocols.Of(protocol), Bytes(Six));
        Assert.Equal(["w", "b"], state.Keys);
        Assert.Equal(Six, Values(state, "w"));
        Assert.Equal([1f, 2], Values(state, "b"));
    }

    [Fact]
    public void Opcodes_that_need_bytes_outside_the_file_are_refused() => Assert.Contains("refused", Refusal(new PickleWriter().Raw(0x97).End()));

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.")]
    [InlineData("_orig_mod.module.")]
    public void What_wrappers_put_before_the_names_is_removed(string prefix)
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(').Text("n_averaged").Tensor("LongStorage", "1", 1, 0, [], [])
            .Text(prefix + "a").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Text(prefix + "b").Tensor("FloatStorage", "0", 6, 0, [2], [1]).Op('u').End();
        Assert.Equal(["a", "b"], TorchStateDict.Read(PickleWriter.Zip(pickle, ("0", Bytes(Six)), ("1", new byte[8])), "averaged.pth").Keys);
    }

    [Theory]
    [InlineData("state_dict")]
    [InlineData("model_state_dict")]
    [InlineData("net")]
    [InlineData("ema")]
    [InlineData("whatever")]
    public void A_state_dict_is_found_among_the_entries_of_a_checkpoint(string key)
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(').Text("epoch").Number(3).Text(key).Op('}').Text("x").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s')
            .Text("args").Global("argparse", "Namespace").Op(')').Raw(0x81).Op('}').Op('b').Op('u').End();
        Assert.Equal(["x"], Read(pickle, Bytes(Six)).Keys);
    }

    [Fact]
    public void Trained_weights_go_before_their_averages_and_two_networks_are_refused()
    {
        PickleWriter Two(string first, string second) => new PickleWriter().Op('}').Op('(')
            .Text(first).Op('}').Text("x").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s')
            .Text(second).Op('}').Text("y").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Op('u');
        Assert.Equal(["y"], Read(Two("ema", "model").End(), Bytes(Six)).Keys);
        string refusal = Assert.Throws<InvalidModelException>(() => Read(Two("generator", "discriminator").End(), Bytes(Six))).Message;
        Assert.Contains("'generator', 'discriminator'", refusal);
    }

    [Fact]
    public void Entries_of_a_zip_that_share_their_bytes_are_refused()
    {
        PickleWriter pickle = new PickleWriter().Op('}').Op('(');
        for (int i = 0; i < 8; i++)
            pickle.Text($"{i}").Tensor("ByteStorage", $"{i}", 1000, 0, [1000], [1]);
        byte[] file = PickleWriter.Zip(pickle.Op('u').End(), [.. Enumerable.Range(0, 8).Select(i => ($"{i}", new byte[1000]))]);
        Assert.Equal(8, TorchStateDict.Read(file, "sample.pth").Count);
        // Every entry of the directory is led to the first storage's bytes; the parts in between are cut out by way of the name "archive/data/0".
        Assert.Throws<InvalidModelException>(() => TorchStateDict.Read(Overlapping(file), "sample.pth"));
    }

    private static byte[] Overlapping(byte[] file)
    {
        byte[] result = [.. file];
        int directory = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(result.AsSpan(result.Length - 6));
        int first = -1;
        for (int at = directory; result.AsSpan(at, 4).SequenceEqual("PK\u0001\u0002"u8);)
        {
            int name = System.Buffers.Binary.BinaryPrimitives.ReadInt16LittleEndian(result.AsSpan(at + 28));
            if (System.Text.Encoding.ASCII.GetString(result, at + 46, name).Contains("/data/", StringComparison.Ordinal))
                if (first < 0)
                    first = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(result.AsSpan(at + 42));
                else
                    System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(at + 42), first);
            at += 46 + name + System.Buffers.Binary.BinaryPrimitives.ReadInt16LittleEndian(result.AsSpan(at + 30)) + System.Buffers.Binary.BinaryPrimitives.ReadInt16LittleEndian(result.AsSpan(at + 32));
        }
        return [.. result.AsSpan(0, first), .. result.AsSpan(first, 1000 + 45), .. Directory()];

        byte[] Directory()
        {
            byte[] tail = result[directory..];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(tail.AsSpan(tail.Length - 6), first + 1045);
            return tail;
        }
    }

    [Theory]
    [InlineData(6, 1, new[] { 6L }, new[] { 1L })]
    [InlineData(6, 0, new[] { 2L, 3L }, new[] { 4L, 1L })]
    [InlineData(6, 0, new[] { 2L }, new[] { long.MaxValue })]
    [InlineData(6, -1, new[] { 2L }, new[] { 1L })]
    [InlineData(6, 0, new[] { 2L }, new[] { -1L })]
    [InlineData(6, 0, new[] { -2L }, new[] { 1L })]
    [InlineData(6, 0, new[] { 1L << 40 }, new[] { 0L })]
    [InlineData(6, 0, new[] { 1L << 20, 1L << 20 }, new[] { 0L, 0L })]
    [InlineData(6, 0, new[] { 1L << 28 }, new[] { 0L })]
    [InlineData(6, 0, new[] { 2L, 3L }, new[] { 1L })]
    [InlineData(7, 0, new[] { 2L }, new[] { 1L })]
    [InlineData(long.MaxValue, 0, new[] { 2L }, new[] { 1L })]
    public void Views_beyond_their_storage_are_refused(long count, long offset, long[] shape, long[] strides)
    {
        byte[] pickle = new PickleWriter().Op('}').Text("x").Tensor("FloatStorage", "0", count, offset, shape, strides).Op('s').End();
        var e = Assert.Throws<InvalidModelException>(() => Read(pickle, Bytes(Six)));
        Assert.StartsWith("sample.pth: ", e.Message);
    }

    [Fact]
    public void Many_views_of_one_storage_do_not_fill_the_memory()
    {
        PickleWriter pickle = new PickleWriter().Op('}').Op('(');
        for (int i = 0; i < 200; i++)
            pickle.Text($"{i}").Tensor("ByteStorage", "0", 1 << 20, 0, [1 << 20], [1]);
        var e = Assert.Throws<InvalidModelException>(() => Read(pickle.Op('u').End(), new byte[1 << 20]));
        Assert.Contains("overlap", e.Message);
    }

    [Fact]
    public void A_missing_storage_and_a_compressed_part_are_refused()
    {
        Assert.Contains("absent", Assert.Throws<InvalidModelException>(() => TorchStateDict.Read(PickleWriter.Zip(One("FloatStorage", 2)), "sample.pth")).Message);
        var stream = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(stream, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        using (Stream entry = zip.CreateEntry("a/data.pkl", System.IO.Compression.CompressionLevel.SmallestSize).Open())
            entry.Write(new byte[1 << 20]);
        Assert.Contains("compressed", Assert.Throws<InvalidModelException>(() => TorchStateDict.Read(stream.ToArray(), "sample.pth")).Message);
    }

    [Fact]
    public void Damaged_zips_are_refused_or_read()
    {
        byte[] file = PickleWriter.Zip(One("FloatStorage", 6), ("0", Bytes(Six)));
        BadInput.Truncate(file, f => TorchStateDict.Read(f, "damaged"));
        BadInput.Corrupt(file, f => TorchStateDict.Read(f, "damaged"), 5000, file.Length);
    }

    [SkippableTheory]
    [InlineData("resnet-cifar/resnet20-12fca82f.th")]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth")]
    public void Damaged_legacy_files_are_refused_or_read(string path)
    {
        byte[] file = File.ReadAllBytes(SharedData.Require(path));
        BadInput.Truncate(file, f => TorchStateDict.Read(f, "damaged"), 40);
        BadInput.Corrupt(file, f => TorchStateDict.Read(f, "damaged"), 100, 20_000);
    }

    private static byte[] One(string type, int count) =>
        new PickleWriter().Op('}').Text("x").Tensor(type, "0", count, 0, [count], [1]).Op('s').End();

    private static StateDict Read(byte[] pickle, byte[] storage) => TorchStateDict.Read(PickleWriter.Zip(pickle, ("0", storage)), "sample.pth");

    private static string Refusal(byte[] pickle) => Assert.Throws<InvalidModelException>(() => Read(pickle, [])).Message;

    private static float[] Values(StateDict state, string name) => ((WeightTensor)state[name]).Value.ToDense().ToArray();

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
