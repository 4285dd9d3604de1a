using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Tests.Datasets;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>A network itself tells whether it sees its pictures as it was trained to.</summary>
public sealed class PreprocessingCheckTests
{
    private static readonly Lazy<(ModelGraph Model, IReadOnlyList<RgbImage> Images)> Shapes = new(() =>
    {
        using var source = ImageSource.Open(Path.Combine(Shapes10Tests.Folder, "test.zip"));
        ImageSource some = source.Sample(PreprocessingCheck.MostImages, 1);
        return (ModelFile.Load(Path.Combine(Shapes10Tests.Folder, "teacher.onnx")), [.. Enumerable.Range(0, some.Count).Select(i => some.Decode(i))]);
    });

    [Fact]
    public void The_right_preprocessing_is_not_warned_of()
    {
        (ModelGraph model, IReadOnlyList<RgbImage> images) = Shapes.Value;
        Assert.Null(PreprocessingCheck.Run(model, ImagePreprocessing.For(model), images));
    }

    [Theory]
    [InlineData(255, 0f)]
    [InlineData(255, 127.5f)]
    public void A_wrong_range_is_warned_of(int range, float mean)
    {
        (ModelGraph model, IReadOnlyList<RgbImage> images) = Shapes.Value;
        ImagePreprocessing right = ImagePreprocessing.For(model);
        string? warning = PreprocessingCheck.Run(model, right with { Range = range, Mean = [mean, mean, mean], Std = [1, 1, 1] }, images);
        Assert.NotNull(warning);
        Assert.Contains("from 0 to 1, less 0.485", warning, StringComparison.Ordinal);
        Assert.Null(PreprocessingCheck.Run(model, right with { Range = range, Mean = [mean, mean, mean], Std = [1, 1, 1] }, images.Take(7).ToArray()));
    }

    [Fact]
    public void A_network_with_a_foreign_end_is_asked_up_to_there()
    {
        (ModelGraph model, IReadOnlyList<RgbImage> images) = Shapes.Value;
        ImagePreprocessing right = ImagePreprocessing.For(model);
        var zipped = new ModelGraph(
            model.Name, model.Input, [new("label", new TensorShape()), new("map", new TensorShape())],
            [.. model.Nodes, new("zip", new Foreign("ZipMap", "ai.onnx.ml", "it makes no tensor"), [model.OutputName], "map"), new("most", new Foreign("ArgMax", "", "it makes integers"), [model.OutputName], "label")],
            model.Initializers);
        Assert.Null(PreprocessingCheck.Run(zipped, right, images));
        Assert.NotNull(PreprocessingCheck.Run(zipped, right with { Range = 255, Mean = [0, 0, 0], Std = [1, 1, 1] }, images));
    }

    [SkippableFact]
    [Trait("Category", "Slow")]
    public void A_network_of_ML_NET_s_packages_is_warned_of_where_RGB_is_assumed()
    {
        string file = Path.Combine(
            Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
            "microsoft.ml.dnnimagefeaturizer.resnet18", "0.23.1", "tools", "DnnImageModels", "ResNet18Onnx", "ResNet18.onnx");
        Skip.IfNot(File.Exists(file), "the package Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1 is not in the package cache");
        ModelGraph model = ModelFile.Load(file);
        IReadOnlyList<RgbImage> photographs = Photographs();
        string? warning = PreprocessingCheck.Run(model, StatedPreprocessing.For(model).Preprocessing, photographs);
        Assert.Contains("BGR from 0 to 255", warning, StringComparison.Ordinal);

        // The graph of the preprocessing lies beside it in the package.
        StatedPreprocessing stated = StatedPreprocessing.For(model, file);
        Assert.Equal((ChannelOrder.Bgr, 255, 224), (stated.Preprocessing.Order, stated.Preprocessing.Range, stated.Preprocessing.MeanImage?.Width));
        Assert.Equal(["fit"], stated.Assumed.AsEnumerable());
    }

    [SkippableFact]
    public void A_network_that_subtracts_the_mean_of_BGR_states_it()
    {
        StatedPreprocessing stated = StatedPreprocessing.For(ModelFile.Load(SharedData.Require("models/squeezenet-tensor-input.onnx")));
        Assert.Equal((ChannelOrder.Bgr, 255), (stated.Preprocessing.Order, stated.Preprocessing.Range));
        Assert.True(stated.AreValuesStated);
    }

    [SkippableFact]
    public void A_network_of_BGR_is_warned_of_where_RGB_is_said()
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("models/squeezenet-tensor-input.onnx"));
        ImagePreprocessing right = StatedPreprocessing.For(model).Preprocessing;
        Assert.Contains("BGR pixels: 104, 117, 123", PreprocessingCheck.Run(model, right with { Order = ChannelOrder.Rgb }, []), StringComparison.Ordinal);
        Assert.Contains("from 0 to 255", PreprocessingCheck.Run(model, right with { Range = 1 }, []), StringComparison.Ordinal);
        Assert.Null(PreprocessingCheck.Run(model, right, []));
    }

    private static IReadOnlyList<RgbImage> Photographs()
    {
        using var source = ImageSource.Open(SharedData.Require("imagenet/imagenet-500-256.zip"));
        ImageSource some = source.Sample(PreprocessingCheck.MostImages, 0);
        return [.. Enumerable.Range(0, some.Count).Select(i => some.Decode(i))];
    }
}
