using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class CompressionPlanTests
{
    /// <summary>The sizes of the paper's counting: codes of log₂k bits, float16 codebooks, the rest float32.</summary>
    [SkippableTheory]
    [InlineData(BlockRegime.Small, 96_780)]
    [InlineData(BlockRegime.Large, 109_356)]
    [InlineData(BlockRegime.Fitted, 90_610)]
    public void ResNet20_has_the_size_of_the_reference(BlockRegime blocks, long bytes)
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("resnet-cifar/resnet20-jpeg.safetensors"));
        CompressionPlan plan = CompressionPlan.Create(model, new() { Blocks = blocks });
        Assert.Equal(bytes, plan.PaperBytes);
        Assert.Equal("first convolution", plan.Layers[0].Reason);
        Assert.Equal(19, plan.Layers.Count(l => l.IsQuantized));
    }

    [Fact]
    public void Depthwise_layers_stay_dense_unless_they_are_asked_for()
    {
        var maker = new Inference.GraphMaker(1);
        string x = maker.Conv(maker.Conv(maker.Conv("x", 3, 64, Window.Square(3)), 64, 64, Window.Square(3), group: 64), 64, 128, Window.Square(1));
        ModelGraph model = maker.Build(x, 3, 16, 16);
        LayerPlan[] layers = [.. CompressionPlan.Create(model, new()).Layers];
        Assert.Equal([false, false, true], layers.Select(l => l.IsQuantized));
        Assert.Contains("depthwise", layers[1].Reason);
        Assert.True(CompressionPlan.Create(model, new() { Depthwise = true }).Layers[1].IsQuantized);
        Assert.True(CompressionPlan.Create(model, new() { Overrides = [new(layers[1].Weight, BlockSize: 9)] }).Layers[1].IsQuantized);
    }

    [SkippableFact]
    public void The_published_ResNet18_has_the_size_of_the_paper()
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("kill-the-bits/resnet18_small_blocks.pth"));
        Assert.Equal(new PaperAccounting(1_439_616, 96_256, 80_032), PaperAccounting.Of(model));
        CompressionPlan large = CompressionPlan.Create(model, new() { Blocks = BlockRegime.Large });
        Assert.All(large.Layers.Where(l => l.IsQuantized && l.Shape.Rank == 4), l => Assert.Equal(l.Shape[2] == 3 ? 18 : 4, l.BlockSize));
        Assert.Equal((4, 2048), (large.Layers[^1].BlockSize, large.Layers[^1].Codewords));
    }

    [SkippableFact]
    public void The_published_ResNet50_has_the_size_of_the_paper()
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("kill-the-bits/resnet50_large_blocks.pth"));
        Assert.Equal(new PaperAccounting(2_784_640, 300_032, 254_112), PaperAccounting.Of(model));
        CompressionPlan large = CompressionPlan.Create(model, new() { Blocks = BlockRegime.Large });
        Assert.All(large.Layers.Where(l => l.IsQuantized && l.Shape.Rank == 4), l => Assert.Equal(l.Shape[2] == 3 ? 18 : 8, l.BlockSize));
        Assert.Equal((4, 1024), (large.Layers[^1].BlockSize, large.Layers[^1].Codewords));
    }

    [SkippableFact]
    public void Layers_that_are_all_codes_keep_their_blocks_but_the_smallest()
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("kill-the-bits/resnet18_small_blocks.pth"));
        CompressionPlan small = CompressionPlan.Create(model, new() { Blocks = BlockRegime.Small }), fitted = CompressionPlan.Create(model, new());
        Assert.All(small.Layers.Zip(fitted.Layers), p => Assert.Equal(p.First.Shape.Count >= 128 * 64 * 9, p.First.BlockSize == p.Second.BlockSize && p.First.IsQuantized));
        Assert.InRange(fitted.PaperBytes, small.PaperBytes + 1, small.PaperBytes * 41 / 40);
    }

    /// <summary>A layer of 128×128 is smaller with blocks of 9 and fewer codewords, and one of 512×512 keeps its large blocks.</summary>
    [SkippableFact]
    public void Large_blocks_are_fitted_likewise()
    {
        ModelGraph model = ModelFile.Load(SharedData.Require("kill-the-bits/resnet18_small_blocks.pth"));
        CompressionPlan large = CompressionPlan.Create(model, new() { Blocks = BlockRegime.Large }), fitted = CompressionPlan.Create(model, new() { Blocks = BlockRegime.FittedLarge });
        LayerPlan Layer(CompressionPlan plan, string weight) => plan.Layers.Single(l => l.Weight == weight);
        Assert.Equal((18, 9), (Layer(large, "layer2.0.conv2.weight").BlockSize, Layer(fitted, "layer2.0.conv2.weight").BlockSize));
        Assert.Equal((18, 256), (Layer(fitted, "layer4.1.conv2.weight").BlockSize, Layer(fitted, "layer4.1.conv2.weight").Codewords));
        Assert.InRange(fitted.PaperBytes, 1, large.PaperBytes * 41 / 40);
    }

    /// <summary>1,024 rows are features, not classes, where another linear layer follows.</summary>
    [Fact]
    public void Linear_layers_inside_a_network_are_no_classifiers()
    {
        var maker = new Inference.GraphMaker(1);
        string x = maker.Add(new Flatten(), maker.Conv("x", 3, 16, Window.Square(3, 1, 1)));
        x = maker.Add(new Clip(0, 6), maker.Linear(x, 256, 1024));
        LayerPlan[] layers = [.. CompressionPlan.Create(maker.Build(maker.Linear(x, 1024, 1000), 3, 4, 4), new() { Blocks = BlockRegime.Small }).Layers];
        Assert.Equal([(4, 256), (4, 2048)], layers[1..].Select(l => (l.BlockSize, l.Codewords)));
        Assert.Equal("hidden linear layer", layers[1].Reason);
        Assert.StartsWith("classifier", layers[2].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_paper_s_methods_keep_its_blocks()
    {
        LayerPlan[] Layers(CompressionMethod method) => [.. CompressionPlan.Create(TestNetworks.Residual(), new() { Method = method }).Layers.Where(l => l.IsQuantized)];
        Assert.All(Layers(CompressionMethod.Paper).Where(l => l.Shape.Rank == 4), l => Assert.Equal(9, l.BlockSize));
        Assert.Contains(Layers(CompressionMethod.Output), l => l.BlockSize == 3 && l.Reason.Contains("fitted to the bytes of d = 9, k = 64", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_asked_of_a_layer_is_not_fitted()
    {
        CompressionPlan plan = CompressionPlan.Create(TestNetworks.Residual(), new() { Overrides = [new("block.conv1.weight", BlockSize: 9)] });
        Assert.Equal(9, plan.Layers.Single(l => l.Weight == "block.conv1.weight").BlockSize);
    }

    [Fact]
    public void Codewords_are_clamped_to_a_quarter_of_the_blocks()
    {
        CompressionPlan plan = CompressionPlan.Create(TestNetworks.Residual(), new() { Blocks = BlockRegime.Small });
        LayerPlan layer = plan.Layers.Single(l => l.Weight == "block.conv1.weight");
        Assert.Equal((9, 64), (layer.BlockSize, layer.Codewords)); // 256 blocks
        Assert.Equal(256 * 6 / 8 + 64 * 9 * 2, layer.PaperBytes);
        Assert.Contains("clamped", layer.Reason);
    }

    [Fact]
    public void Overrides_rule_and_say_so_where_they_cannot()
    {
        ModelGraph model = TestNetworks.Residual();
        CompressionPlan plan = CompressionPlan.Create(model, new()
        {
            Overrides = [new("block.*", BlockSize: 18, Codewords: 10), new("block.conv2", Skip: true), new("conv1.weight", BlockSize: 3)],
        });
        Assert.Equal((3, 4), (plan.Layers[0].BlockSize > 0 ? 3 : 0, 4));
        Assert.Equal((18, 10), (plan.Layers[1].BlockSize, plan.Layers[1].Codewords));
        Assert.False(plan.Layers[2].IsQuantized);
        Assert.Equal("left alone as asked", plan.Layers[2].Reason);

        Assert.Contains("nothing*", Assert.Throws<ArgumentException>(() => Plan(new LayerOverride("nothing*"))).Message);
        Assert.Contains("block.conv1.weight", Assert.Throws<ArgumentException>(() => Plan(new LayerOverride("block.conv1", BlockSize: 7))).Message);
        CompressionPlan Plan(LayerOverride o) => CompressionPlan.Create(model, new() { Overrides = [o] });
    }

    [Theory]
    [InlineData(160, 32, 100)]
    [InlineData(8, 2048, 11)]
    [InlineData(3, 256, 3)]
    [InlineData(10, 3, 3)] // 2 bits each
    public void Codes_take_the_bits_of_the_codebook(long blocks, int codewords, long bytes) =>
        Assert.Equal(bytes, PaperAccounting.CodeBytes(blocks, codewords));
}
