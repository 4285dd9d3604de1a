using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

public class PackedCodesTests
{
    private const int Rows = 2, PlaneCount = 3;

    private static readonly byte[] Planes = [0x00, 0xFF, 0xA5, 0x3C, 0x01, 0x80];
    private static readonly byte[] Low = [0, 1, 2, 3, 128, 254, 255, 7, 6, 5, 4, 3, 2, 1, 0, 99];

    [Fact]
    public void Bit_planes_and_low_bytes_make_codes()
    {
        OnnxFile file = File(16).Node("Div", "p powers", "q").Node("Mod", "q two", "bits").Node("MatMul", "bits weights", "sums").Ints("grid", 4, 4)
            .Node("Reshape", "sums grid", "high").Tensor("low", 2, [4, 4], Low).Node("Cast", "low", "l", ("to", 6)).Node("Add", "l high", "codes");
        Assert.Equal(Enumerable.Range(0, 16).Select(i => (ushort)(Low[i] + 256 * Sum(i))), CodesOf(file));
    }

    /// <summary>As files before operator set 10 have it, where there is no Mod.</summary>
    [Fact]
    public void Bits_are_what_twice_a_number_s_half_leaves_where_there_is_no_remainder()
    {
        OnnxFile file = Halves(File(16)).Node("Sub", "q doubled", "bits").Node("Mul", "bits row", "weighted").Ints("grid", 4, 4)
            .Node("ReduceSum", "weighted", "sums", ("axes", new[] { 2 })).Node("Reshape", "sums grid", "high").Tensor("low", 2, [4, 4], Low).Node("Cast", "low", "l", ("to", 6)).Node("Add", "l high", "codes");
        Assert.Equal(Enumerable.Range(0, 16).Select(i => (ushort)(Low[i] + 256 * Sum(i))), CodesOf(file));
    }

    [Theory]
    [InlineData("halves")]
    [InlineData("doubled")]
    [InlineData("weighted")]
    public void Values_that_leave_that_pattern_too(string value)
    {
        int[] bytes = [.. Enumerable.Range(0, Rows * 8 * PlaneCount).Select(i => Planes[i / 24 * 3 + i % 3] >> (i / 3 % 8))];
        int Expected(int i) => value switch { "halves" => bytes[i] / 2, "doubled" => bytes[i] / 2 * 2, _ => bytes[i] % 2 << 8 + i % 3 };
        OnnxFile file = Halves(File(48)).Node("Sub", "q doubled", "bits").Node("Mul", "bits row", "weighted").Ints("grid", 4, 12).Node("Reshape", value + " grid", "codes");
        Assert.Equal(Enumerable.Range(0, bytes.Length).Select(i => (ushort)Expected(i)), CodesOf(file));
    }

    [Fact]
    public void Values_that_leave_the_pattern_on_its_way_are_those_of_any_folded_integers()
    {
        int[] shifted = [.. Enumerable.Range(0, Rows * 8 * PlaneCount).Select(i => Planes[i / 24 * 3 + i % 3] >> (i / 3 % 8))];
        OnnxFile quotients = File(48).Node("Div", "p powers", "q").Ints("grid", 4, 12).Node("Reshape", "q grid", "codes");
        Assert.Equal(shifted.Select(v => (ushort)v), CodesOf(quotients));
        OnnxFile bits = File(48).Node("Div", "p powers", "q").Node("Mod", "q two", "bits").Ints("grid", 4, 12).Node("Reshape", "bits grid", "codes");
        Assert.Equal(shifted.Select(v => (ushort)(v % 2)), CodesOf(bits));
        OnnxFile shiftedUp = File(16).Node("Div", "p powers", "q").Node("Mod", "q two", "bits").Node("MatMul", "bits weights", "sums").Ints("grid", 4, 4)
            .Node("Reshape", "sums grid", "high").Scalar("one", 1).Node("Add", "high one", "codes");
        Assert.Equal(Enumerable.Range(0, 16).Select(i => (ushort)(1 + 256 * Sum(i))), CodesOf(shiftedUp));
    }

    [Fact]
    public void Packed_codes_outside_the_codebook_are_refused()
    {
        OnnxFile file = File(16, 1000).Node("Div", "p powers", "q").Node("Mod", "q two", "bits").Node("MatMul", "bits weights", "sums").Ints("grid", 4, 4)
            .Node("Reshape", "sums grid", "codes");
        Assert.Contains("of 1000", Assert.Throws<InvalidModelException>(() => CodesOf(file)).Message);
    }

    [Fact]
    public void Packed_codes_with_their_low_bytes_outside_the_codebook_are_refused()
    {
        OnnxFile file = File(16, 1700).Node("Div", "p powers", "q").Node("Mod", "q two", "bits").Node("MatMul", "bits weights", "sums").Ints("grid", 4, 4)
            .Node("Reshape", "sums grid", "high").Tensor("low", 2, [4, 4], [.. Enumerable.Repeat((byte)255, 16)]).Node("Cast", "low", "l", ("to", 6)).Node("Add", "l high", "codes");
        Assert.Contains("row 1791 of 1700", Assert.Throws<InvalidModelException>(() => CodesOf(file)).Message);
    }

    private static int Sum(int code) => Enumerable.Range(0, PlaneCount).Sum(p => ((Planes[code / 8 * PlaneCount + p] >> (code % 8)) & 1) << p);

    private static OnnxFile File(int channels, int codewords = 2048) => new OnnxFile(17, -1, channels, 8, 8)
        .Tensor("planes", 2, [Rows, 1, PlaneCount], Planes).Node("Cast", "planes", "p", ("to", 6))
        .Tensor("powers", 6, [8, 1], Bytes(1, 2, 4, 8, 16, 32, 64, 128)).Tensor("two", 6, [], Bytes(2)).Tensor("weights", 6, [PlaneCount, 1], Bytes(256, 512, 1024))
        .Floats("book", [codewords, 4]).Ints("shape", 4, channels, 1, 1);

    private static OnnxFile Halves(OnnxFile file) => file.Node("Div", "p powers", "q").Tensor("twice", 6, [8, 1], Bytes(2, 4, 8, 16, 32, 64, 128, 256)).Node("Div", "p twice", "halves")
        .Node("Mul", "halves two", "doubled").Tensor("row", 6, [PlaneCount], Bytes(256, 512, 1024));

    private static ushort[] CodesOf(OnnxFile file)
    {
        ModelGraph graph = file.Node("Gather", "book codes", "rows").Node("Reshape", "rows shape", "w").Node("Conv", "input w", "y").Read();
        return Assert.IsType<QuantizedTensor>(Assert.Single(graph.Initializers).Value).Codes.ToArray();
    }

    private static byte[] Bytes(params ReadOnlySpan<int> values) => MemoryMarshal.AsBytes(values).ToArray();
}
