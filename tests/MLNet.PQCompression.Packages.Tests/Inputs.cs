using System.IO.Compression;

namespace MLNet.PQCompression.Packages.Tests;

/// <summary>The files that the pages' examples name, made from the classifier and the images that the repository has.</summary>
internal static class Inputs
{
    /// <summary>What the network sees in cat.jpg.</summary>
    public const string ClassOfTheCat = "arrow";

    /// <summary>Puts model.onnx, photos and cat.jpg into a folder.</summary>
    public static string Prepare(string folder)
    {
        File.Copy(Repository.File("datasets/shapes10/teacher.onnx"), Path.Combine(folder, "model.onnx"));
        string photos = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        using (ZipArchive unlabelled = ZipFile.OpenRead(Repository.File("datasets/shapes10/unlabelled.zip")))
            foreach (ZipArchiveEntry entry in unlabelled.Entries.Take(100))
                entry.ExtractToFile(Path.Combine(photos, entry.Name));
        using ZipArchive test = ZipFile.OpenRead(Repository.File("datasets/shapes10/test.zip"));
        test.Entries.First(e => e.FullName.StartsWith($"{ClassOfTheCat}/", StringComparison.Ordinal)).ExtractToFile(Path.Combine(folder, "cat.jpg"));
        return folder;
    }
}
