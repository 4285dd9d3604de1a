using MLNet.PQCompression.Images.Coco;

namespace MLNet.PQCompression.Tests.Images.Coco;

public sealed class CocoAnnotationsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void PicturesCategoriesAndObjectsAreRead()
    {
        CocoAnnotations read = Read("""
            {"images": [{"id": 7, "file_name": "a.jpg", "width": 6, "height": 5}],
             "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "person"}],
             "annotations": [
               {"image_id": 7, "category_id": 3, "bbox": [1, 1, 3, 2], "area": 6, "iscrowd": 0, "segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]]},
               {"image_id": 7, "category_id": 1, "bbox": [0, 0, 6, 5], "iscrowd": 1, "segmentation": {"size": [5, 6], "counts": [10, 20]}}]}
            """);
        Assert.Equal(("a.jpg", 6, 5), (read.Pictures[7].FileName, read.Pictures[7].Width, read.Pictures[7].Height));
        Assert.Equal([1, 3], read.Categories.Keys);
        Assert.Equal((6, false, 6), (read.Objects[0].Area, read.Objects[0].IsCrowd, read.Objects[0].Mask!.Area));
        Assert.Equal((20, true), (read.Objects[1].Area, read.Objects[1].IsCrowd));
        Assert.Equal((1, 1, 4, 3), (read.Objects[0].Box.Left, read.Objects[0].Box.Top, read.Objects[0].Box.Right, read.Objects[0].Box.Bottom));
        Assert.True(read.HasMasks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"images\": 5, \"categories\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [], \"categories\": [], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 0, \"height\": 5}], \"categories\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 9999999, \"height\": 9999999}], \"categories\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1, 1], \"segmentation\": {\"size\": [2, 2], \"counts\": [9]}}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}, {\"id\": 1, \"file_name\": \"b\", \"width\": 2, \"height\": 2}], \"categories\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"bbox\": [0, 0, 1, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": \"1\", \"category_id\": 1, \"bbox\": [0, 0, 1, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": \"none\"}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 2, \"bbox\": [0, 0, 1, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, -1, 1]}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1, 1], \"segmentation\": {\"size\": [2, 3], \"counts\": [6]}}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1, 1], \"segmentation\": {\"size\": [2, 2], \"counts\": \"\u007f\u007f\"}}]}")]
    [InlineData("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 1, 1], \"area\": \"large\"}]}")]
    [InlineData("{\"images\": [{\"file_name\": \"a\", \"width\": 2, \"height\": 2}], \"categories\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [], \"annotations\": []}")]
    [InlineData("{\"images\": [], \"categories\": [{\"id\": 1}], \"annotations\": []}")]
    public void OtherFilesAreRefusedByName(string json)
    {
        var refusal = Assert.Throws<InvalidDataException>(() => Read(json));
        Assert.Contains(_file, refusal.Message);
    }

    private CocoAnnotations Read(string json)
    {
        File.WriteAllText(_file, json);
        return CocoAnnotations.Read(_file);
    }
}
