using System.Buffers.Binary;
using System.Text;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Safetensors;

public class SafetensorsFileTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, 12).Select(_ => (float)(Half)random.NextSingle()), 0, 1, -1, 0.5f];
        var state = new StateDict("sample",
        [
            new("z.weight", new WeightTensor(new DenseTensor(new(2, 2, 2, 2), values))),
            new("half", new WeightTensor(new DenseTensor(new(16), values, StorageType.Float16))),
            new("double", new WeightTensor(new DenseTensor(new(4, 4), values, StorageType.Float64))),
            new("brain", new WeightTensor(new DenseTensor(new(2), new[] { 1.5f, -2f }, StorageType.BFloat16))),
            new("count", new IntegerTensor(new(), TensorElementType.Int64, new long[] { -7 })),
            new("bytes", new IntegerTensor(new(3), TensorElementType.UInt8, new long[] { 0, 128, 255 })),
            new("empty", new WeightTensor(new DenseTensor(new(0, 3), Array.Empty<float>()))),
        ]);
        var stream = new MemoryStream();
        SafetensorsFile.Write(state, stream);
        StateDict read = SafetensorsFile.Read(stream.ToArray(), "written");
        Assert.Equal(state.Keys.Order(), read.Keys.Order());
        foreach ((string name, StateTensor expected) in state)
        {
            Assert.Equal(expected.Shape, read[name].Shape);
            if (expected is IntegerTensor integers)
                Assert.Equal(integers.Values.ToArray(), ((IntegerTensor)read[name]).Values.ToArray());
            else
                Assert.Equal(((WeightTensor)expected).Value.ToDense().ToArray(), ((WeightTensor)read[name]).Value.ToDense().ToArray());
        }
        Assert.Equal(StorageType.BFloat16, ((DenseTensor)((WeightTensor)read["brain"]).Value).Storage);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "inside another")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "bytes 0 to 8 of 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "needs 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[65536,65536,65536,65536,65536],"data_offsets":[0,8]}}""", 8, "out of range")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}""", 8, "out of range")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "out of range")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "bytes 8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "bytes -8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0.5,8]}}""", 8, "malformed")]
    [InlineData("""{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", 8, "C64")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,8]}}""", 8, "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", 8, "twice")]
    [InlineData("""{"a":7}""", 8, "lacks")]
    [InlineData("""[1]""", 8, "malformed")]
    [InlineData("""{"a":""", 8, "malformed")]
    public void Malformed_headers_are_refused(string header, int dataBytes, string complaint)
    {
        var e = Assert.Throws<InvalidModelException>(() => SafetensorsFile.Read(File(header, dataBytes), "hostile.safetensors"));
        Assert.Contains("hostile.safetensors", e.Message);
        Assert.Contains(complaint, e.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 62)]
    [InlineData(1000UL)]
    public void A_header_longer_than_the_file_is_refused(ulong length)
    {
        byte[] file = File("{}", 0);
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Assert.Throws<InvalidModelException>(() => SafetensorsFile.Read(file, "hostile"));
    }

    [Fact]
    public void Damaged_files_are_refused_or_read()
    {
        byte[] file = File("""{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}""", 32);
        BadInput.Truncate(file, f => SafetensorsFile.Read(f, "damaged"));
        BadInput.Corrupt(file, f => SafetensorsFile.Read(f, "damaged"), 3000, 160);
    }

    private static byte[] File(string header, int dataBytes)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        return file;
    }
}
