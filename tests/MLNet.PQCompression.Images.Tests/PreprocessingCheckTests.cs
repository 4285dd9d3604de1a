using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Tests.Datasets;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>A network itself tells whether it sees its pictures as it was trained to.</summary>
public sealed class PreprocessingCheckTests
{
    private static readonly Lazy<(ModelGraph Model, IReadOnlyList<RgbImage> Images)> s_shapes = new(() =>
    {
        using var source = ImageSource.Open(Path.Combine(Shapes10Tests.Folder, "test.zip"));
        ImageSource some = source.Sample(PreprocessingCheck.MostImages, 1);
        return (ModelFile.Load(Path.Combine(Shapes10Tests.Folder, "teacher.onnx")), [.. Enumerable.Range(0, some.Count).Select(i => some.Decode(i))]);
    });

    [Fact]
    public void The_right_preprocessing_is_not_warned_of()
    {
        (ModelGraph model, IReadOnlyList<RgbImage> images) = s_shapes.Value;
        Assert.Null(PreprocessingCheck.Run(model, ImagePreprocessing.For(model), images));
    }

    [Theory]
    [InlineData(255, 0f)]
    [InlineData(255, 127.5f)]
    public void A_wrong_range_is_warned_of(int range, float mean)
    {
        (ModelGraph model, IReadOnlyList<RgbImage> images) = s_shapes.Value;
        ImagePreprocessing right = ImagePreprocessing.For(model);
        string? warning = PreprocessingCheck.Run(model, right with { Range = range, Mean = [mean, mean, mean], Std = [1, 1, 1] }, images);
        Assert.NotNull(warning);
        Assert.Contains("from 0 to 1, less 0.485", warning, StringComparison.Ordinal);
        Assert.Null(PreprocessingCheck.Run(model, right with { Range = range, Mean = [mean, mean, mean], Std = [1, 1, 1] }, images.Take(7).ToArray()));
    }
}
