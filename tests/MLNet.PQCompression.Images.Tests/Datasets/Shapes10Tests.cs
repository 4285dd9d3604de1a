using MLNet.PQCompression.Datasets;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Datasets;

public class Shapes10Tests
{
    internal static readonly string Folder = Find();

    [Fact]
    public void The_test_images_have_ten_classes_of_two_hundred()
    {
        using var source = ImageSource.Open(Path.Combine(Folder, "test.zip"));

        Assert.Equal(Shape.All.Select(s => s.Name), source.ClassNames);
        Assert.Equal(Enumerable.Repeat(200, 10), source.Images.CountBy(i => i.Label).OrderBy(p => p.Key).Select(p => p.Value));
        AssertSizes(source);
    }

    [Fact]
    public void The_unlabelled_images_have_no_classes()
    {
        using var source = ImageSource.Open(Path.Combine(Folder, "unlabelled.zip"));

        Assert.Equal(2400, source.Count);
        Assert.False(source.HasLabels);
        AssertSizes(source);
    }

    [Theory]
    [InlineData("test.zip")]
    [InlineData("unlabelled.zip")]
    public void The_renderer_makes_the_images_that_are_checked_in(string file)
    {
        using var source = ImageSource.Open(Path.Combine(Folder, file));
        Split split = file == "test.zip" ? Split.Test : Split.Unlabelled;
        for (int index = 0; index < 10; index++)
        {
            (string name, byte[] png) = DataSet.Render(split, seed: 1, index);
            byte[] expected = source.Decode(source.Images.Select((image, i) => (image.Name, i)).Single(p => p.Name == name).i).Pixels;
            byte[] rendered = ImageDecoder.Decode(png).Pixels;

            // Sine and logarithm may differ in their last bit from machine to machine, so that now and then a pixel does.
            Assert.InRange(expected.Zip(rendered, (a, b) => Math.Abs(a - b)).Average(), 0, 0.5);
        }
    }

    [Fact]
    public void Splits_and_seeds_differ()
    {
        byte[] image = DataSet.Render(Split.Test, 1, 0).Png;

        Assert.Equal(image, DataSet.Render(Split.Test, 1, 0).Png);
        Assert.NotEqual(image, DataSet.Render(Split.Train, 1, 0).Png);
        Assert.NotEqual(image, DataSet.Render(Split.Test, 2, 0).Png);
        Assert.NotEqual(image, DataSet.Render(Split.Test, 1, 10).Png);
    }

    [Fact]
    public void The_files_stay_small() =>
        Assert.InRange(Directory.EnumerateFiles(Folder).Sum(f => new FileInfo(f).Length), 1, 5_000_000);

    private static void AssertSizes(ImageSource source)
    {
        for (int i = 0; i < source.Count; i++)
            Assert.Equal((32, 32), (source.Decode(i).Width, source.Decode(i).Height));
    }

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "MLNet.PQCompression.sln")))
                return Path.Combine(d.FullName, "datasets", "shapes10");
        throw new DirectoryNotFoundException("The tests run outside of the repository.");
    }
}
