using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class ProvenanceTests
{
    [Fact]
    public void It_survives_the_metadata_of_a_file()
    {
        LayerReport Layer(double? error) => new(new("conv", "conv.weight", new(8, 8, 3, 3), error is null ? 0 : 9, error is null ? 0 : 16, ""), error, [], 1);
        var report = new CompressionReport([Layer(null), Layer(0.01234567), Layer(0.5)], 77, 1000, 100, 3);
        Provenance provenance = Provenance.Of(report, new() { Method = CompressionMethod.Paper, Seed = 5 }, "00ff");
        Assert.Equal(new[] { 0.0123, 0.5 }, provenance.Errors.ToArray());

        Provenance read = Provenance.FromMetadata(new Dictionary<string, string>([provenance.ToMetadata()]))!;
        Assert.Equal(provenance with { Errors = read.Errors }, read);
        Assert.Equal(provenance.Errors.ToArray(), read.Errors.ToArray());
        Assert.Equal((CompressionMethod.Paper, 5, 77, "00ff"), (read.Method, read.Seed, read.Images, read.Teacher));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"version\":\"1\",\"seed\":\"x\"}")]
    public void A_broken_entry_is_refused_by_its_key(string text)
    {
        var metadata = new Dictionary<string, string> { [Provenance.MetadataKey] = text };
        Assert.Contains(Provenance.MetadataKey, Assert.Throws<FormatException>(() => Provenance.FromMetadata(metadata)).Message, StringComparison.Ordinal);
        Assert.Null(Provenance.FromMetadata(new Dictionary<string, string>()));
    }
}
