using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Images;

public sealed class ClassNamesTests
{
    [Fact]
    public void Names_survive_a_model_file()
    {
        string[] names = ["ant", "b\"e,e", "größe", ""];
        Assert.Equal<string>(names, [.. ClassNames.FromMetadata(new Dictionary<string, string>([ClassNames.ToMetadata(names)]))!.Value]);
        Assert.Null(ClassNames.FromMetadata(new Dictionary<string, string>()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ant, bee")]
    [InlineData("[\"ant\", 3]")]
    [InlineData("[\"ant\", null]")]
    [InlineData("{}")]
    public void A_broken_entry_is_refused(string text) =>
        Assert.Throws<FormatException>(() => ClassNames.FromMetadata(new Dictionary<string, string> { [ClassNames.MetadataKey] = text }));

    [Fact]
    public void Equal_names_are_told_apart() =>
        Assert.Equal<string>(["crane", "dog", "crane (2)", "crane (3)", "crane (2) (4)"], [.. ClassNames.MakeUnique(["crane", "dog", "crane", "crane", "crane (2)"])]);

    [Fact]
    public void Labels_give_the_order_and_the_rest_follows() =>
        Assert.Equal<int>([4, 1, 0, 2, 3], [.. ClassNames.OrderBy(["a", "b", "c", "d", "e"], ["e", "b"])]);

    [Fact]
    public void A_label_that_is_no_class_or_comes_twice_is_named()
    {
        Assert.Contains("'x'", Assert.Throws<ArgumentException>(() => ClassNames.OrderBy(["a", "b"], ["x"])).Message, StringComparison.Ordinal);
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => ClassNames.OrderBy(["a", "b"], ["b", "b"])).Message, StringComparison.Ordinal);
    }
}
