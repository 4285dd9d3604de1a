using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class LayerOptionTests
{
    public static TheoryData<string, LayerOverride> WellFormed => new()
    {
        { "layer4.*:d=18,k=512", new("layer4.*", 18, 512) },
        { "fc:k=1024", new("fc", null, 1024) },
        { "*conv?:d=9", new("*conv?", 9) },
        { "onnx::Conv_12:skip", new("onnx::Conv_12", Skip: true) },
    };

    [Theory]
    [MemberData(nameof(WellFormed))]
    public void A_pattern_and_its_settings_are_read(string text, LayerOverride expected)
    {
        Assert.Equal(expected, LayerOption.Parse(text, out string? problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("")]
    [InlineData("fc")]
    [InlineData("fc:")]
    [InlineData(":skip")]
    [InlineData("fc:d=0")]
    [InlineData("fc:d=-4")]
    [InlineData("fc:d=four")]
    [InlineData("fc:d=99999999999")]
    [InlineData("fc:q=4")]
    [InlineData("fc:skip,d=4")]
    [InlineData("fc:d=4,")]
    public void Anything_else_is_refused_with_the_value_and_the_form(string text)
    {
        Assert.Null(LayerOption.Parse(text, out string? problem));
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
        Assert.Contains("PATTERN:d=D,k=K", problem, StringComparison.Ordinal);
    }
}
