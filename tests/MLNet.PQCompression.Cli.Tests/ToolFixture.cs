using MLNet.PQCompression.Formats.Onnx;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>A tiny model and images for it on disk.</summary>
public sealed class ToolFixture : TemporaryFolder
{
    public ToolFixture()
    {
        OnnxWriter.Write(TinyModel.Create(), Model);
        OnnxWriter.Write(TinyModel.Create(seed: 2), OtherModel);
        OnnxWriter.Write(TinyModel.Create(classes: 7), SevenClasses);
        TinyModel.WriteImages(Images);
        TinyModel.WriteImages(ImagesWithABadOne);
        System.IO.File.WriteAllText(System.IO.Path.Combine(ImagesWithABadOne, "class0", "broken.png"), "not an image");
    }

    public string Model => File("tiny.onnx");

    public string OtherModel => File("other.onnx");

    public string SevenClasses => File("seven.onnx");

    public string Images => File("images");

    public string ImagesWithABadOne => File("bad");

    public int ImageCount => 6 * TinyModel.Classes;

    /// <summary>One of the images.</summary>
    public string OneImage => System.IO.Path.Combine(Images, "class1", "03.ppm");

    /// <summary>The tiny model compressed, made on first use.</summary>
    public async Task<string> Compressed()
    {
        string path = File("tiny.pq.onnx");
        if (!System.IO.File.Exists(path))
            (await ToolRun.Of("compress", Model, "--images", Images, "--output", path, "--json")).Json();
        return path;
    }
}
